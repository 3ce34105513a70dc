"""What templates may call: `webinar` for pages, `mail` for mails.

May import: text, models.
"""
