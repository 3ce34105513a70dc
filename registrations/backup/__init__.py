"""Write a backup, restore it, and replay the decisions made since.

May import: domain, mailing, documents, statistics, security, spreadsheets, text, models, runtime.
"""
