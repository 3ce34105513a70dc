"""The outbox as the organiser sees it: mails, held mails, suppression list.

May import, of admin: shared.
"""
