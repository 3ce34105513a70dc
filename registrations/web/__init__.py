"""What all pages share: forms, fields, errors, page cache, middleware."""
