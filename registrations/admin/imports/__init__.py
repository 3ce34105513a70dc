"""Files that an organiser imports: people, attendance."""
