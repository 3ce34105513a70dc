"""The job of a confirmed change of an event: all registrants are told in one transaction, or none."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registrations.admin.events import changes
from registrations.admin.events.change_forms import FORMS
from registrations.admin.shared.jobs import event_of
from registrations.models import Event, Job
from registrations.models.job import Outcome
from registrations.worker import jobs

SHORT = 3000  # people who are told


@jobs.handler(Job.Kind.CHANGE, short=SHORT, is_one_transaction=True)
def make_change(job: Job) -> Outcome:
    """Refused when the event has changed since the mail was shown."""
    event = Event.objects.locked(event_of(job))
    form = next(form for form in FORMS if form.slug == job.parameters["form"])(event, job.parameters["typed"])
    with timezone.override(event.zone):  # in which its hours were typed
        is_valid = form.is_valid()
    if job.parameters["seen"] != changes.fingerprint(event) or not is_valid:
        raise jobs.Refused(
            _("Someone has changed this event in the meantime: nobody was told. Begin anew from its page.")
        )
    title, count = form.title_for(event), form.run()
    sentence = ngettext("%(count)s person is told by mail.", "%(count)s people are told by mail.", count)
    told = sentence % {"count": count}
    LogEntry.objects.log_actions(job.asked_by, [event], CHANGE, change_message=f"{title}. {told}")
    return Outcome([("success", _("Recorded. %(told)s") % {"told": told})])
