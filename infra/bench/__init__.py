"""Measurements of single parts, to be called from the benchmark or by hand."""
