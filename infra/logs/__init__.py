"""A deployed stage's log lines in the terminal."""
