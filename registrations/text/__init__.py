"""French typography, dates in words, typing errors in addresses.

May import: models.
"""
