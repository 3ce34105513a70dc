"""What runs beside the web: mails, long jobs, housekeeping.

May import: domain, mailing, documents, statistics, security, spreadsheets, text, models, runtime.
"""
