"""French typography, dates in words, slips in addresses.

May import: models.
"""
