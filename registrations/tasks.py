"""Rows of the task table written by release 1.3 name `registrations.tasks.send_due_mail`. Goes with release 1.5.

May import: mailing.
"""

from registrations.mailing.wakeups import send_due_mail

__all__ = ["send_due_mail"]
