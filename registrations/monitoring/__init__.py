"""How the site is doing: status, readiness, metrics, checks."""
