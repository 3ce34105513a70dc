"""An object in, bytes out: PDF and calendar objects.

May import: statistics, text, models, runtime.
"""
