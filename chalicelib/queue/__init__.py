"""The durable hand-off between the rush and the ledger: SQS, and nothing about what an order means."""
