"""session.database: nobody knows a catalogue before it was read."""

from __future__ import annotations

from proxy.session.database import Database


def test_a_database_is_born_without_a_catalogue() -> None:
    database = Database("sky", 5)
    assert (database.name, database.oid, database.catalogue) == ("sky", 5, None)


def test_all_who_are_there_are_told_of_another_catalogue() -> None:
    class Session:
        told = 0

        def judged_anew(self) -> None:
            self.told += 1

    database, here, gone = Database("sky", 5), Session(), Session()
    database.judged.update((here, gone))
    del gone
    database.judged_anew()
    assert here.told == 1
