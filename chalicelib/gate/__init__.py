"""Load control in Valkey: says yes or no in one round trip, and holds a claim for every yes.

The gate may lose everything: it is filled again from the ledger, which is the truth.
"""
