"""What runs beside the web: mails, long jobs, housekeeping."""
