"""The audit of one event: ledger, gate and queues are read past the service's code, and counted again."""
