"""What the processes of one machine know of each other, and what they write into the log. No model, no request.

May import: nothing of the product.
"""
