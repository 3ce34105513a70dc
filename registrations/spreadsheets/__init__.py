"""Tables in and out: read and written.

May import: models, runtime.
"""
