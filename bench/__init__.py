"""Benchmarks: what the proxy achieves under a stated load, measured the same way each time."""
