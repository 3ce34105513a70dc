"""What runs beside the web: mails, long jobs, housekeeping.

May import: monitoring, domain, mailing, documents, statistics, security, spreadsheets, text, models, runtime.
"""
