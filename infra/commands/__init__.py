"""The verbs of `python -m infra`, one a file. `infra/__main__.py` has the table."""
