"""Tests of the proxy: the same tree as proxy/, file for file."""
