"""The outbox: what is owed, what it says, how it leaves, what came back.

May import: documents, text, models, runtime.
"""
