"""session.database: nobody knows a catalogue before it was read."""

from __future__ import annotations

from proxy.session.database import Database


def test_a_database_is_born_without_a_catalogue() -> None:
    database = Database("sky", 5)
    assert (database.name, database.oid, database.catalogue) == ("sky", 5, None)
