"""How the site is doing: status, readiness, metrics, checks.

May import: backup, domain, mailing, documents, statistics, security, spreadsheets, text, models, runtime.
"""
