"""Tests of the room that remembers: no clock but a number, no origin but a promise."""
