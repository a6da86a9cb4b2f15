"""The seeded simulator: bad luck by the hundred thousand, on the service's own code and the stores' twins."""
