"""The history of a run: every request, answer and ledger change in one file, and a judge who needs no more.

The ledger's changes are PostgreSQL's own account of itself, so that the witness shares no code with the
service. `lines` has the shapes, `recorder` writes, `judge` judges.
"""
