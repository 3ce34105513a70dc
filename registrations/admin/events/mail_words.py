"""The automatic mails of an event in the organiser's own words: the list of kinds, and the form of each."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from registrations.admin.events.mail_words_form import WordsForm
from registrations.admin.shared import confirmation, model_admin
from registrations.admin_site.pages import AdminPage
from registrations.domain import mail_texts
from registrations.domain.mail_texts import Change
from registrations.mailing.previews import SAMPLES
from registrations.models import Event, MailText
from registrations.models.mail_kinds import OWN_WORDS, Kind, by_moment
from registrations.models.mail_text import WORDS

SEE = "see"  # name of the button that shows the mail before it is saved
CHANGES_SHOWN = 20
LOGGED = "mail_words"  # key in the message of Django's log


class Line(NamedTuple):
    kind: Kind
    languages: list[str]  # in which it has own words
    path: str
    preview: str


def mail_words(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    written = list(event.mail_texts.all())
    groups = [(moment.label, list(_lines(event, kinds, written))) for moment, kinds in by_moment(OWN_WORDS)]
    title = _("Mails in your own words")
    return model_admin.page(request, Event, "admin/mail_words.html", title=title, event=event, groups=groups)


def _lines(event: Event, kinds: list[Kind], written: list[MailText]) -> Iterator[Line]:
    for kind in kinds:
        languages = [text.get_language_display() for text in written if text.kind == kind]
        yield Line(kind, languages, path(event, kind), preview_path(event, kind))


def path(event: Event, kind: Kind) -> str:
    return reverse("admin:registrations_event_mail_words_of", args=[event.pk, kind.value])


def preview_path(event: Event, kind: Kind, **query: str) -> str:
    key = next(key for key, sample in SAMPLES.items() if sample.kind == kind)
    return f"{reverse('admin:registrations_event_mails', args=[event.pk])}?{urlencode({'mail': key, **query})}"


def words_of_kind(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    if kind not in OWN_WORDS:
        raise Http404
    form = _form(request, event, Kind(kind))
    if request.method != "POST" or not form.is_valid():
        return _page(request, form)
    return _show(request, form) if SEE in request.POST else _save(request, form)


def _form(request: HttpRequest, event: Event, kind: Kind) -> WordsForm:
    if request.method == "POST":
        return WordsForm(event, kind, request.POST)
    typed = request.session.get(_key(event, kind)) if "typed" in request.GET else None
    return WordsForm(event, kind, initial=typed)


def _page(request: HttpRequest, form: WordsForm) -> HttpResponse:
    of_model = admin.site.get_model_admin(Event)
    drawn = AdminForm(cast(Any, form), form.fieldsets(), {}, model_admin=of_model)
    return confirmation.form_page(
        request,
        Event,
        form,
        template="admin/mail_words_form.html",
        title=_("In your own words: %(mail)s") % {"mail": form.kind.label},
        adminform=drawn,
        original=form.event,
        event=form.event,
        kind=form.kind,
        see=SEE,
        back=reverse("admin:registrations_event_mail_words", args=[form.event.pk]),
        history=list(_history(form.event, form.kind)),
    )


def _show(request: HttpRequest, form: WordsForm) -> HttpResponse:
    """The page of previews, with the words as they are typed. They wait in the session, and are not saved."""
    request.session[_key(form.event, form.kind)] = form.cleaned_data
    return HttpResponseRedirect(preview_path(form.event, form.kind, person=form.language_to_show(), typed="1"))


def _save(request: HttpRequest, form: WordsForm) -> HttpResponse:
    changes = mail_texts.write(form.event, form.kind, form.typed())
    request.session.pop(_key(form.event, form.kind), None)
    if changes:
        model_admin.log_change(request, form.event, _logged(form.kind, changes))
        messages.success(request, _("The words are saved: mails that wait leave with them."))
    else:
        messages.info(request, _("Nothing has changed."))
    return HttpResponseRedirect(reverse("admin:registrations_event_mail_words", args=[form.event.pk]))


def _key(event: Event, kind: Kind) -> str:
    return f"mail_words_{event.pk}_{kind}"


def typed_texts(request: HttpRequest, event: Event, kind: Kind) -> list[MailText] | None:
    """What was typed and not saved; None when there is nothing."""
    typed = request.session.get(_key(event, kind))
    if typed is None:
        return None
    languages = [code for code, _name in settings.LANGUAGES]
    of_language = {code: {name: typed.get(f"{name}_{code}", "") for name in WORDS} for code in languages}
    return [MailText(event=event, kind=kind, language=code, **words) for code, words in of_language.items()]


# Django's log keeps what was changed, from what to what; its own page shows the names of the fields


def _logged(kind: Kind, changes: list[Change]) -> Any:
    fields = sorted({change.field for change in changes}, key=WORDS.index)
    shown = {"name": "own words of a mail", "object": str(kind.label), "fields": fields}
    return [{"changed": shown, LOGGED: {"kind": kind.value, "changes": [list(change) for change in changes]}}]


class Past(NamedTuple):
    entry: LogEntry
    language: str
    field: str
    before: str
    after: str


def _history(event: Event, kind: Kind) -> Iterator[Past]:
    content_type = ContentType.objects.get_for_model(Event)
    of_event = LogEntry.objects.filter(content_type=content_type, object_id=str(event.pk))
    asked = f'"{LOGGED}": {{"kind": "{kind.value}"'
    entries = of_event.filter(change_message__contains=asked).select_related("user")
    for entry in entries.order_by("-action_time", "-pk")[:CHANGES_SHOWN]:
        for language, field, before, after in json.loads(entry.change_message)[0][LOGGED]["changes"]:
            label = capfirst(str(cast(Any, MailText._meta.get_field(field)).verbose_name))
            yield Past(entry, dict(settings.LANGUAGES).get(language, language), label, before, after)


MAY_WRITE = ("registrations.change_event", "registrations.view_registration")
PAGES = [
    AdminPage("<int:pk>/words/", mail_words, name="mail_words", permissions=MAY_WRITE),
    AdminPage("<int:pk>/words/<slug:kind>/", words_of_kind, name="mail_words_of", permissions=MAY_WRITE),
]
