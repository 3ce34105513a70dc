"""Use the admin in tests: logged-in clients, and the data of its forms."""

import time
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.test import Client
from django.utils import timezone

from registrations.security import second_factor

MAILS = "/admin/registrations/delivery/"
PEOPLE = "/admin/registrations/registration/"
EVENTS = "/admin/registrations/event/"
PARTS = ["report_sections", "own_questions", "documents"]
NO_PARTS = {f"{part}-{count}_FORMS": 0 for part in PARTS for count in ("TOTAL", "INITIAL")}  # of an event without any


def logged_in(*permissions: str) -> Client:
    """A client of a staff account with these permissions; without any, of a superuser."""
    client = Client()
    user = User.objects.create_user("equipe", is_staff=True, is_superuser=not permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def with_fresh_password(client: Client) -> Client:
    """Mark the session as having entered the password just now, which sensitive pages require."""
    session = client.session
    session[second_factor.PASSWORD_AT] = time.time()
    session.save()
    return client


def act(client: Client, name: str, *rows: Model, confirm: bool = True, path: str = PEOPLE) -> Any:
    """Choose an action for rows of the list, and confirm it on the page that follows."""
    page = client.post(path, {"action": name, "_selected_action": [row.pk for row in rows], "index": 0}, follow=True)
    if not confirm:
        return page
    return client.post(path, confirmed(page), follow=True)


def confirmed(page: Any) -> dict[str, Any]:
    """What the page that asks sends when its button is pressed, with the words that it wants typed."""
    sent: dict[str, Any] = {"typed": page.context.get("to_type", "")}
    for field, value in page.context["hidden"]:
        sent.setdefault(field, []).append(value)
    return sent


def typed_date(name: str, moment: Any) -> dict[str, str]:
    local = timezone.localtime(moment)
    return {f"{name}_0": f"{local:%d/%m/%Y}", f"{name}_1": f"{local:%H:%M}"}


def event_form(client: Client, path: str) -> dict[str, Any]:
    """POST data of the event's form without any change."""
    typed: dict[str, Any] = {**NO_PARTS}
    for bound in client.get(path).context["adminform"].form:
        value = bound.value()
        if hasattr(value, "utcoffset") and hasattr(value, "date"):
            typed |= typed_date(bound.name, value)
        elif value not in (None, "", False) and not isinstance(value, FieldFile):  # a stored file is not sent again
            typed[bound.name] = value
    return typed


def messages(page: Any) -> list[str]:
    return [str(message).replace("\u00a0", "_") for message in page.context["messages"]]
