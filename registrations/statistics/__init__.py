"""Figures about an event, none about a person.

May import: models.
"""
