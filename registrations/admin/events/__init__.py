"""The events: form, changes, previews, figures, dry runs.

May import, of admin: imports, people, messages, mails, shared.
"""
