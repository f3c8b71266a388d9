"""What a transaction, or a savepoint, goes back to when it is undone."""

from __future__ import annotations

from typing import final

# Settings that a session has made its own, with their values; None: one that nobody here vouches for.
Own = dict[str, str | None]


@final
class Snapshot:
    """What ROLLBACK (TO) goes back to: effective values, the values that COMMIT will keep, and both roles.

    ``own``: the settings among the latter that differ from those at login because the session has set them.
    """

    __slots__ = ("kept", "kept_role", "own", "role", "values")

    def __init__(
        self,
        values: dict[str, str],
        kept: dict[str, str],
        role: str | None,
        kept_role: str | None,
        own: Own,
    ) -> None:
        self.own = own
        self.values = values
        self.kept = kept
        self.role = role
        self.kept_role = kept_role

    def copy(self) -> Snapshot:
        """The same, to go on from."""
        return Snapshot(dict(self.values), dict(self.kept), self.role, self.kept_role, dict(self.own))
