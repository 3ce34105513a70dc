"""Commands, and the processes that they start."""
