"""Whole conversations as text, replayed without I/O."""
