"""The outbox: which mails are to be sent, what they say, how they are sent, what came back.

May import: documents, text, models, runtime.
"""
