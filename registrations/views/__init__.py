"""One page, one function: HTTP in, one call of domain, HTTP out.

May import: web, monitoring, backup, domain, mailing, documents, statistics, security, spreadsheets, text, models,
runtime.
"""
