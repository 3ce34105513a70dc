"""The groups that a team is given: « Organisation » runs everything, « Lecture » only looks."""

from typing import Any

ORGANISATION, READING = "Organisation", "Lecture"
ALL = ["view", "add", "change", "delete"]
RIGHTS = {
    ORGANISATION: {"event": ALL, "registration": ALL, "reportsection": ALL, "suppression": ALL, "delivery": ["view"]},
    READING: {model: ["view"] for model in ("event", "registration", "reportsection", "delivery")},
}


def give(apps: Any, group: str, model: str, codenames: list[str]) -> None:
    """Add permissions to a group in a migration, where Django has not made them yet; none is ever taken away."""
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="registrations", model=model
    )
    owner, _created = apps.get_model("auth", "Group").objects.get_or_create(name=group)
    thing = apps.get_model("registrations", model)._meta.verbose_name
    for codename in codenames:
        name = f"Can {codename.removesuffix(f'_{model}')} {thing}"  # as Django itself words it
        permission, _created = apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )
        owner.permissions.add(permission)


def make(apps: Any, schema_editor: Any) -> None:
    for group, rights in RIGHTS.items():
        for model, actions in rights.items():
            give(apps, group, model, [f"{action}_{model}" for action in actions])
