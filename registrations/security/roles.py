"""The groups of staff accounts.

« Organisation » may do everything, « Lecture » may only view, « Par webinaire » runs the events it is named on.
"""

from typing import Any

ORGANISATION, READING, PER_EVENT = "Organisation", "Lecture", "Par webinaire"
ALL = ["view", "add", "change", "delete"]
RIGHTS = {
    ORGANISATION: {"event": ALL, "registration": ALL, "reportsection": ALL, "suppression": ALL, "delivery": ["view"]},
    READING: {model: ["view"] for model in ("event", "registration", "reportsection", "delivery")},
}

RIGHTS_PER_EVENT = {
    "event": ["view_event", "change_event"],
    "registration": [*(f"{action}_registration" for action in ALL), "export_registration"],
    "reportsection": [f"{action}_reportsection" for action in ALL],
    "eventquestion": [f"{action}_eventquestion" for action in ALL],
    "delivery": ["view_delivery"],
    "broadcast": ["write_to_registrants"],
    "eventmember": ["limited_to_named_events"],
}


def give(apps: Any, group: str, model: str, codenames: list[str]) -> None:
    """Add permissions to a group, for use in a migration. Permissions that Django has not created yet are created."""
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="registrations", model=model
    )
    owner, _created = apps.get_model("auth", "Group").objects.get_or_create(name=group)
    verbose_name = apps.get_model("registrations", model)._meta.verbose_name
    for codename in codenames:
        name = f"Can {codename.removesuffix(f'_{model}')} {verbose_name}"  # the same name as Django gives it
        permission, _created = apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )
        owner.permissions.add(permission)


def make(apps: Any, schema_editor: Any) -> None:
    for group, rights in RIGHTS.items():
        for model, actions in rights.items():
            give(apps, group, model, [f"{action}_{model}" for action in actions])


def add_per_event(apps: Any, schema_editor: Any) -> None:
    for model, codenames in RIGHTS_PER_EVENT.items():
        give(apps, PER_EVENT, model, codenames)
    give(apps, ORGANISATION, "invitation", ["manage_colleagues"])
