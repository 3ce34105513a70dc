"""Rate limits, audit log, roles, second factor.

May import: models.
"""
