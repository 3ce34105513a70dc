"""A message that an organiser writes to people of one event, kept as it was written."""

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Self

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models.attendance import has_attended
from registrations.models.event import Event
from registrations.models.event_lock import LocksRows
from registrations.models.event_question import EventQuestion
from registrations.models.event_validators import CHOICE_MAX, MARKDOWN_MAX
from registrations.models.gave_answer import GaveAnswer
from registrations.models.one_line import OneLineField
from registrations.models.registration import Registration, RegistrationQuerySet

LEAVES_AFTER = timedelta(minutes=2)  # until then it can be taken back


class BroadcastQuerySet(LocksRows["Broadcast"]):
    def due(self) -> Self:
        """Planned, and their hour has come."""
        return self.filter(state=Broadcast.State.PLANNED, planned_at__lte=timezone.now())

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Broadcast(models.Model):
    class Audience(models.TextChoices):
        SEATED = "seated", _("Everyone with a seat")
        PRESENT = "present", _("Those who came")
        ABSENT = "absent", _("Those with a seat who did not come")
        WAITING = "waiting", _("The waiting list")
        CHOSEN = "chosen", _("People chosen one by one")
        ANSWERED = "answered", _("Those who gave an answer")

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("message", "Draft")
        PLANNED = "planned", pgettext_lazy("message", "Planned")
        CONFIRMED = "confirmed", pgettext_lazy("message", "Confirmed")
        TAKEN_BACK = "taken_back", pgettext_lazy("message", "Taken back")
        STOPPED = "stopped", pgettext_lazy("message", "Stopped")

    event = models.ForeignKey(Event, models.CASCADE, related_name="broadcasts", verbose_name=_("event"))
    audience = models.CharField(_("to whom"), max_length=60)  # of Audience; several with commas
    territory = OneLineField(_("only of this territory"), max_length=255, blank=True)
    newsletter_only = models.BooleanField(_("only who asked for the newsletter"), default=False)
    people = models.ManyToManyField(Registration, verbose_name=_("people chosen"), related_name="+", blank=True)
    answered_question = models.ForeignKey(
        EventQuestion, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("question")
    )
    answer = models.CharField(_("answer"), max_length=CHOICE_MAX, blank=True, default="", db_default="")
    subject = OneLineField(_("subject"), max_length=90)
    body = models.TextField(_("text"), help_text=_("In Markdown."), validators=[MaxLengthValidator(MARKDOWN_MAX)])
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    count = models.PositiveIntegerField(_("recipients, as confirmed"), default=0)
    created_by = models.BigIntegerField(_("account number"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    planned_at = models.DateTimeField(_("planned for"), null=True, blank=True)
    # what the organiser knew when it was planned; and, in a draft, why it did not leave at its hour
    planned_for_status = models.CharField(max_length=10, blank=True, default="", db_default="", editable=False)
    held_because = models.CharField(max_length=10, blank=True, default="", db_default="", editable=False)

    objects = BroadcastQuerySet.as_manager()

    class Meta:
        verbose_name = _("message to registrants")
        verbose_name_plural = _("messages to registrants")
        default_permissions = ()
        permissions = [("write_to_registrants", _("Can write to the registrants of an event"))]
        constraints = [
            models.CheckConstraint(
                name="broadcast_leaves_once_it_is_confirmed",
                condition=Q(state="draft", confirmed_at__isnull=True) | Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="planned_broadcast_has_an_hour",
                condition=~Q(state="planned") | Q(planned_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_unwritten(self) -> bool:
        """People were chosen for it, and nothing was written yet."""
        is_for_chosen = self.is_draft and self.audience == self.Audience.CHOSEN
        return is_for_chosen and not (self.subject or self.body)

    @property
    def is_planned(self) -> bool:
        """For an hour to come; its audience is found then."""
        return self.state == self.State.PLANNED

    @property
    def is_taken_back(self) -> bool:
        return self.state == self.State.TAKEN_BACK

    @property
    def is_stopped(self) -> bool:
        return self.state == self.State.STOPPED

    @property
    def is_under_way(self) -> bool:
        """Too late to be taken back; what has not left yet can still be stopped."""
        return self.state == self.State.CONFIRMED and not self.may_be_taken_back

    @property
    def may_start_another(self) -> bool:
        """It has come to its end, or nobody can take it back: a new draft may be made from it."""
        return not (self.is_draft or self.is_planned or self.may_be_taken_back)

    @property
    def leaves_at(self) -> datetime | None:
        return self.planned_at or (self.confirmed_at + LEAVES_AFTER if self.confirmed_at else None)

    @property
    def may_be_taken_back(self) -> bool:
        waits = self.state == self.State.CONFIRMED and self.leaves_at
        return bool(waits and timezone.now() < waits)

    def recipients(self) -> RegistrationQuerySet:
        """The people it is for at this moment, without those who want no messages; nobody while none are chosen."""
        return self.chosen().filter(wants_messages=True)

    def chosen(self) -> RegistrationQuerySet:
        """The people whom the organiser means, whether they want messages or not."""
        people = self._audience()
        if self.territory:
            people = people.filter(territory=self.territory)
        return people.filter(newsletter=True) if self.newsletter_only else people

    @property
    def audiences(self) -> list[str]:
        return [name for name in self.audience.split(",") if name]

    @property
    def audience_words(self) -> str:
        return ", ".join(self._words(name) for name in self.audiences)

    def _words(self, name: str) -> str:
        if name == self.Audience.ANSWERED and self.answered_question:
            answer = self.answered_question.answer_words(self.answer)
            words = {"answer": answer, "question": self.answered_question}
            return _("Those who answered “%(answer)s” to “%(question)s”") % words
        return str(self.Audience(name).label)

    def people_chosen(self) -> RegistrationQuerySet:
        """Those who were chosen one by one and are still on the list."""
        return Registration.objects.without_dry_runs().filter(
            self._condition(self.Audience.CHOSEN), event=self.event_id
        )

    def _audience(self) -> RegistrationQuerySet:
        people = Registration.objects.without_dry_runs().filter(event=self.event_id)
        wanted = [condition for name in self.audiences if (condition := self._condition(name))]
        return people.filter(reduce(or_, wanted)) if wanted else people.none()

    def _condition(self, name: str) -> Q | None:
        seated, listed = Q(status=Registration.Status.CONFIRMED), ~Q(status=Registration.Status.CANCELLED)
        match name:
            case self.Audience.SEATED:
                return seated
            case self.Audience.PRESENT:
                return seated & Q(has_attended())
            case self.Audience.ABSENT:
                return seated & ~Q(has_attended()) & Q(created_at__lt=self.event.ends_at)
            case self.Audience.WAITING:
                return Q(status=Registration.Status.WAITLISTED)
            case self.Audience.CHOSEN:
                chosen = Broadcast.people.through.objects.filter(broadcast=self.pk)
                return listed & Q(pk__in=chosen.values("registration"))
            case self.Audience.ANSWERED if self.answered_question_id:
                return listed & Q(GaveAnswer(str(self.answered_question_id), self.answer))
        return None
