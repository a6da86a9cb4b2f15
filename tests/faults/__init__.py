"""The ten faults: real processes and real stores, each broken on purpose, each with its invariant."""
