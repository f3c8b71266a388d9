"""The users, for ``locust -f loadtest/locustfile.py``; README.md tells what to add."""

from __future__ import annotations

from loadtest.users import hooks
from loadtest.users.api import Editor, Reader
from loadtest.users.sql import SqlReader

__all__ = ["Editor", "Reader", "SqlReader", "hooks"]
