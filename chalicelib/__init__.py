"""Everything that ships to Lambda, and nothing else: it never imports infra or tests."""
