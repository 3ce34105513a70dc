"""Scripts that `manage.py shell` runs for the table; each prints one JSON object, or nothing."""

IN_THE_FUTURE = """
from datetime import timedelta
from django.utils import timezone
from registrations.models import Event
event = Event.objects.get()
event.starts_at = timezone.now() + timedelta(days=30)
event.ends_at = event.starts_at + timedelta(minutes=90)
event.save()
"""
RENDERINGS = """
import json, time
from registrations.documents import study_report
from registrations.models import Event
def seconds(prepare):
    prepare()
    began = time.perf_counter()
    study_report.study_report(Event.objects.get())
    return time.perf_counter() - began
def forget():
    study_report.stored_file(study_report.presentation_of(Event.objects.get())).unlink(missing_ok=True)
def read_again():
    study_report._read_once.cache_clear()
cases = {{"rendered": forget, "from the disk": read_again, "from memory": lambda: None}}
print(json.dumps({{name: [seconds(prepare) for _ in range({times})] for name, prepare in cases.items()}}))
"""
QUERIES = """
import json, re
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from registrations.mailing import outbox
from registrations.models import Event
from registrations.models import shown_identity
path = Event.objects.get().get_absolute_url()
visitor = Client(SERVER_NAME="127.0.0.1")
shown_identity.current()  # read once in five seconds by each process, for all pages
def asked(act):
    with CaptureQueriesContext(connection) as captured:
        kept.append(act())
    queries = (query["sql"] for query in captured)
    return len([sql for sql in queries if not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))])
kept = []
counts = {"event page": asked(lambda: visitor.get(path))}
counts["form page"] = asked(lambda: visitor.get(path + "inscription/"))
typed = {"first_name": "Zoë", "last_name": "D’Arcy", "email": "queries@example.org", "organisation": "Ville"}
typed |= {"job_title": "Cheffe", "stamp": re.findall(r'name="stamp" value="([^"]+)"', kept[-1].text)[0]}
counts["POST"] = asked(lambda: visitor.post(path + "inscription/", typed))
counts["thank-you page"] = asked(lambda: visitor.get(path + "merci/"))
print(json.dumps(counts))
"""
