"""Everything that builds, runs and measures the service. It never ships; it may import `chalicelib`."""
