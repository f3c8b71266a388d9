"""Tests of the room that knows bytes: feed frames, compare frames."""
