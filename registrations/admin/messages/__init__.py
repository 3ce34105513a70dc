"""Messages that an organiser writes to registrants."""
