"""Why a demonstration or a load test ends: it was asked to, it cannot begin, or a part of it failed."""

from __future__ import annotations


class StopAsked(Exception):
    """Ctrl-C or SIGTERM came; nothing is wrong."""


class Misused(Exception):
    """It cannot begin as it was asked to; the message is one sentence that says what to do."""


class PartFailed(Exception):
    """A part of it failed; the message names it and holds the end of its log."""
