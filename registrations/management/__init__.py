"""Commands, and the processes that they start.

May import: admin, admin_site, views, web, worker, monitoring, backup, domain, mailing, documents, statistics,
security, spreadsheets, text, models, runtime.
"""
