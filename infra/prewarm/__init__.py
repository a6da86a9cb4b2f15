"""Raises what an on-sale needs to find ready, and always lowers it again."""
