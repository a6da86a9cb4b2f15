"""Chaos for a rush: which faults strike when, how each is done to a local stack, and what came of them."""
