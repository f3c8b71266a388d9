"""Tests of the admin window."""
