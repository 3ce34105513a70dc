"""Files that an organiser imports: people, attendance.

May import, of admin: people, messages, mails, shared.
"""
