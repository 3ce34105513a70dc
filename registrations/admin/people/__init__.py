"""The registrations: list, page of a person, actions, exports.

May import, of admin: messages, mails, shared.
"""
