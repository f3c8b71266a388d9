"""Fuzz tests: whatever the bytes, an answer or a clean protocol error, never anything else."""
