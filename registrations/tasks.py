"""The former path of a task, which rows of the task table written by release 1.3 name. Remove it in release 1.5.

May import: mailing.
"""

from registrations.mailing.wakeups import send_due_mail

__all__ = ["send_due_mail"]
