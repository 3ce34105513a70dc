"""Messages that an organiser writes to registrants.

May import, of admin: shared.
"""
