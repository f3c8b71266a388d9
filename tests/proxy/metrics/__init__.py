"""Tests of the room that counts."""
