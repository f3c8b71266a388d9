"""Why ``make image`` ends: it cannot begin, or something of it failed."""

from __future__ import annotations


class Misused(Exception):
    """It cannot begin as it was asked to; the message is one sentence that says what to do."""


class ImageFailed(Exception):
    """A build or a probe failed; the message names it and holds the end of what was said."""
