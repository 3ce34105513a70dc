"""A backup written, put back, later decisions replayed."""
