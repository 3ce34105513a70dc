"""Django's admin under the product's name, and the way in."""
