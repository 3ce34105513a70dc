"""How a message leaves: SMTP, a folder, MIME."""
