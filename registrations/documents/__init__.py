"""An object in, bytes out: PDF and calendar objects."""
