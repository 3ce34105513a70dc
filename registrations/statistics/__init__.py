"""Figures of an event, none of a person.

May import: models.
"""
