"""Tests of the image's build and probe."""
