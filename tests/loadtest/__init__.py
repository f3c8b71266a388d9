"""Tests of the load generator and of the distance."""
