"""What may happen to an event and to a registration: each function is one transaction.

May import: mailing, documents, statistics, security, spreadsheets, text, models, runtime.
"""
