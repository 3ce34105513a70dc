"""The two groups of staff accounts: « Organisation » may do everything, « Lecture » may only view."""

from typing import Any

ORGANISATION, READING = "Organisation", "Lecture"
ALL = ["view", "add", "change", "delete"]
RIGHTS = {
    ORGANISATION: {"event": ALL, "registration": ALL, "reportsection": ALL, "suppression": ALL, "delivery": ["view"]},
    READING: {model: ["view"] for model in ("event", "registration", "reportsection", "delivery")},
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
