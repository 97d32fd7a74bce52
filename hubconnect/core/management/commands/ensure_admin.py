"""Make an Admin, or let an existing user be one again."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hubconnect.core.models import Role, User


class Command(BaseCommand):
    """The way in for a new installation, and back in when every Admin is locked out."""

    help = "Make USERNAME an active Admin with the password read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the name; the password never stands in a list of processes."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make or change the user."""
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            msg = "Standard input holds no password."
            raise CommandError(msg)
        name = options["username"]
        user = User.objects.filter(username=name).first() or User(username=name)
        user.role, user.is_active = Role.ADMIN, True
        if not user.check_password(password):  # keeps sessions when nothing changes
            user.set_password(password)
        user.save()
        self.stdout.write(f"{name} may sign in as Admin.")
