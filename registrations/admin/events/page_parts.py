"""What the page of an event shows besides its texts: facts, speakers, programme, partners. A form of its own.

It is the change form of the event with other inlines and without the event's own fields: the desk's budget of queries
holds for each of the two.
"""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet, TextField
from django.forms import ModelForm, Textarea
from django.forms.models import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registrations.admin.shared import pictures
from registrations.admin.shared.mistakes import mistakes
from registrations.admin_site.pages import AdminPage
from registrations.documents.uploaded_picture import Use
from registrations.models import Appearance, Event, EventPage, Partner, ProgrammeItem
from registrations.security import event_access

PARTS_MAX = 40  # of each kind: all boxes of the form stay under DATA_UPLOAD_MAX_NUMBER_FIELDS


class EventPageForm(pictures.PictureForm):
    use = Use.COVER


class PartnerForm(pictures.PictureForm):
    picture_field = "logo"
    use = Use.LOGO


class EventPageInline(admin.StackedInline[EventPage, Event]):
    model = EventPage
    form = EventPageForm
    can_delete = False
    verbose_name_plural = _("on the page: for whom, language, accessibility, picture")
    fields: ClassVar[Any] = [
        "audience",
        "audience_en",
        "language",
        "subtitles",
        "sign_language",
        "telephone",
        "accessibility",
        "accessibility_en",
        "cover",
        "upload",
        "picture_description",
        "picture_description_en",
    ]
    readonly_fields: ClassVar[Any] = ["cover"]
    formfield_overrides = {TextField: {"widget": Textarea({"rows": 3, "class": "vLargeTextField"})}}

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        return pictures.without_upload(self.fields, may_change=self.has_change_permission(request, None))

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventPage]:
        return super().get_queryset(request).select_related("picture")

    @admin.display(description=_("picture as it is now"))
    def cover(self, page: EventPage) -> str:
        return pictures.shown(page.picture)


class AppearanceInline(admin.StackedInline[Appearance, Event]):
    model = Appearance
    extra = 0
    max_num = PARTS_MAX
    verbose_name = _("speaker")
    verbose_name_plural = _("speakers")
    fields: ClassVar[Any] = ["position", "speaker"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appearance]:
        return super().get_queryset(request).select_related("speaker")

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """The choices are read once, not once for each row."""
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.choices = [("", "---------"), *((one.pk, str(one)) for one in event_access.speakers(request.user))]
        return field


class ProgrammeFormSet(BaseInlineFormSet[ProgrammeItem, Event, ModelForm[ProgrammeItem]]):
    def outside(self) -> list[str]:
        """Titles of the parts whose hour is not within the session."""
        rows = [form.instance for form in self.forms if form.instance.pk and form not in self.deleted_forms]
        return [row.title for row in rows if not row.is_within_the_session]


class ProgrammeInline(admin.StackedInline[ProgrammeItem, Event]):
    model = ProgrammeItem
    formset = ProgrammeFormSet
    extra = 0
    max_num = PARTS_MAX
    verbose_name = _("part of the programme")
    verbose_name_plural = _("programme")
    fields: ClassVar[Any] = ["starts_at", "title", "title_en", "speakers"]


class PartnerInline(admin.StackedInline[Partner, Event]):
    model = Partner
    form = PartnerForm
    extra = 0
    max_num = PARTS_MAX
    fields: ClassVar[Any] = ["position", "name", "link", "shown_logo", "upload"]
    readonly_fields: ClassVar[Any] = ["shown_logo"]

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        return pictures.without_upload(self.fields, may_change=self.has_change_permission(request, None))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        return super().get_queryset(request).select_related("logo")

    @admin.display(description=_("logo as it is now"))
    def shown_logo(self, partner: Partner) -> str:
        return pictures.shown(partner.logo)


INLINES: list[type[admin.options.InlineModelAdmin[Any, Any]]] = [
    EventPageInline,
    AppearanceInline,
    ProgrammeInline,
    PartnerInline,
]  # the facts first: `event_page.touch`
USES = {"page": Use.COVER, "partners": Use.LOGO}  # by the prefix of the names of their fields


NAME = "parts"


def is_asked_for(request: HttpRequest) -> bool:
    return bool(request.resolver_match and request.resolver_match.url_name == f"registrations_event_{NAME}")


def page_of_parts(request: HttpRequest, pk: int) -> HttpResponseBase:
    event_admin: Any = admin.site.get_model_admin(Event)
    if event_admin.get_object(request, str(pk)) is None:
        raise Http404
    return cast(HttpResponseBase, event_admin.changeform_view(request, str(pk)))


def answer(request: HttpRequest, event: Event | None, context: dict[str, Any]) -> TemplateResponse:
    formsets = context["inline_admin_formsets"]
    wrong = mistakes(context["adminform"].form, formsets) if context["errors"] else []
    context |= {
        "event": event,
        "title": gettext("Speakers, programme, partners"),
        "subtitle": None,
        "mistakes": wrong,
        "may_save": any(inline.has_add_permission or inline.has_change_permission for inline in formsets),
        "opts": Event._meta,
    }
    return TemplateResponse(request, "admin/page_parts.html", context)


def saved(request: HttpRequest, event: Event) -> HttpResponseRedirect:
    messages.success(request, gettext("The page is saved."))
    return HttpResponseRedirect(reverse(f"admin:registrations_event_{NAME}", args=[event.pk]))


PAGES = [AdminPage(f"<int:pk>/{NAME}/", page_of_parts, name=NAME, permissions=("registrations.view_event",))]


def examine_uploads(request: HttpRequest) -> None:
    """Pictures are written anew before the event is locked."""
    for name, upload in request.FILES.items():
        prefix, _row, field = (*name.split("-"), "", "")[:3]
        if field == pictures.UPLOAD and prefix in USES:
            pictures.examined(upload, USES[prefix])


def warnings(formsets: Any) -> list[str]:
    """What an organiser may not have intended."""
    outside = [title for one in formsets if isinstance(one, ProgrammeFormSet) for title in one.outside()]
    if not outside:
        return []
    return [gettext("Not within the hours of the session: %(titles)s.") % {"titles": ", ".join(outside)}]
