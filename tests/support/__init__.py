"""Real servers and small builders that tests of every kind share."""
