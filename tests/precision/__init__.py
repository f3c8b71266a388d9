"""Precision against PostgreSQL itself: whenever an answer was kept, the origin's answer must be unchanged."""
