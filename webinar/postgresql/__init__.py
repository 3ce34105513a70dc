"""Django's PostgreSQL backend with an end to each wait: see `base`."""
