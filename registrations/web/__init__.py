"""What all pages share: forms, fields, errors, page cache, middleware.

May import: domain, mailing, documents, statistics, security, spreadsheets, text, models, runtime.
"""
