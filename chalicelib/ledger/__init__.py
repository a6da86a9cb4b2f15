"""The truth in PostgreSQL: what is sold, to whom. It knows no gate, no queue and no HTTP."""
