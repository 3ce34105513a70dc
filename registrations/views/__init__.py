"""One page, one function: HTTP in, one call of domain, HTTP out."""
