"""Django's admin under the product's name, and the way in.

May import: web, statistics, security, models, runtime.
"""
