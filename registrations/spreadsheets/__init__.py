"""Tables in and out: read and written."""
