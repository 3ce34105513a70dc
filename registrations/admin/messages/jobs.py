"""The job of a confirmed message: it is sent to everyone in one transaction, or to no one."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registrations.admin.messages.review import fingerprint
from registrations.domain import broadcasts
from registrations.models import Broadcast, Job
from registrations.models.job import Outcome
from registrations.worker import jobs

SHORT = 8000  # people


@jobs.handler(Job.Kind.MESSAGE, short=SHORT, is_one_transaction=True)
def send_message(job: Job) -> Outcome:
    """Refused when the message or the event has changed since it was read."""
    broadcast = _found(job)
    if job.parameters["seen"] != fingerprint(broadcast):
        raise jobs.Refused(_("The message or the event has changed meanwhile: read it once more."))
    try:
        is_new = broadcasts.send(broadcast, count=job.total)
    except broadcasts.CountChanged as error:
        sentence = _("The number of people has just changed: nothing was sent. Count once more.")
        raise jobs.Refused(sentence) from error
    if not is_new:
        raise jobs.Refused(_("This message was confirmed before: nothing was sent once more."))
    sentence = ngettext("Message to %(count)s person.", "Message to %(count)s people.", job.total)
    words = sentence % {"count": job.total}
    LogEntry.objects.log_actions(job.asked_by, [broadcast.event], CHANGE, change_message=words)
    return Outcome([("success", words)])


def _found(job: Job) -> Broadcast:
    try:
        return Broadcast.objects.locked(Broadcast(pk=job.parameters["broadcast"]))
    except Broadcast.DoesNotExist as error:
        raise jobs.Refused(_("The draft of this message was deleted: nothing was sent.")) from error
