"""In-memory twins of the stores; each runs the same contract tests as the real one."""
