"""Django's admin under the product's name, and its login.

May import: web, statistics, security, text, models, runtime.
"""
