"""What several admin pages share.

May import, of admin: nothing.
"""
