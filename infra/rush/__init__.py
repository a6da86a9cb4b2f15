"""The on-sale simulator: a crowd of buyers, the report of what they met, and the audit of what was sold.

It talks to a running stack over HTTP and, where it can, to the ledger by SQL. It must not import
the service's code: an audit that shares code with what it audits shares its faults.
"""
