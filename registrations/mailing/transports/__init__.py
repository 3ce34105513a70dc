"""How a message is sent: SMTP, a folder, MIME."""
