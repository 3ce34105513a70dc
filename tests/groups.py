"""The groups that migrations make, also after a test that commits: it empties all tables at its end."""

from collections import defaultdict
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

_permissions: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)  # (codename, model) by the name of a group


def remember() -> None:
    """Note the groups of the test database, once in each process."""
    if not _permissions:
        rows = Group.objects.values_list("name", "permissions__codename", "permissions__content_type__model")
        for name, codename, model in rows:
            _permissions[name].add((codename, model))


@receiver(post_migrate)
def restore(sender: AppConfig, **_signal: Any) -> None:
    """Make them again after the tables were emptied, which Django ends with this signal."""
    if sender.label != "registrations":
        return
    for name, wanted in _permissions.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            every = Permission.objects.select_related("content_type")
            given = [one for one in every if (one.codename, one.content_type.model) in wanted]
            rights_of_groups = Group.permissions.through  # not `group.permissions`: the audit log would note it
            rights_of_groups.objects.bulk_create(rights_of_groups(group=group, permission=one) for one in given)


def rights() -> dict[str, set[str]]:
    """The codenames of the permissions of each group."""
    return {group.name: {one.codename for one in group.permissions.all()} for group in Group.objects.all()}
