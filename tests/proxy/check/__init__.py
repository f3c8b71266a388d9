"""Tests of `orrery check`."""
