"""What the processes of one machine share (locks, progress), and their log. No model, no request.

May import: nothing of the product.
"""
