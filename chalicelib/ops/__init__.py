"""What operators see and do: a sale as it runs, the queue, an order's whole life, dead letters, switches."""
