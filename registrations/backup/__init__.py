"""A backup written, put back, later decisions replayed.

May import: domain, mailing, documents, statistics, security, spreadsheets, text, models, runtime.
"""
