"""Rate limits, audit log, roles, second factor."""
