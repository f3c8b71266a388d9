"""Tests of the hall: whole conversations without I/O."""
