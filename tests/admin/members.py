"""Accounts of the groups that the site comes with."""

from django.contrib.auth.models import Group, User
from django.test import Client


def member(group: str) -> Client:
    account = User.objects.create_user(f"membre-{group}", is_staff=True)
    account.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(account)
    return client
