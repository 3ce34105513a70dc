from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registrations.security import second_factor


class Command(BaseCommand):
    help = "Remove the second factor of an account whose phone is lost; its next login sets up a new one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        account = get_user_model().objects.filter(username=username).first()
        if account is None:
            raise CommandError(f"There is no account named {username}.")
        second_factor.reset(account)
        self.stdout.write(f"{username}: the next login asks for the password, then shows a new QR code.")
