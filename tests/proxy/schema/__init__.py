"""Tests of the room that knows what the origin's catalogue says, most of them against PostgreSQL itself."""
