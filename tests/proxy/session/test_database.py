"""session.database: nobody knows a catalogue before it was read."""

from __future__ import annotations

from proxy.session.database import Database
from tests.proxy.session import sky


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


def test_a_statement_may_have_other_columns_if_what_it_names_has_changed_since() -> None:
    database = Database("sky", 5)
    database.columns_moved(sky.catalogue(), sky.catalogue(sky.table(17000, "comet", ("id", 23))))
    database.columns_moved(sky.catalogue(), sky.catalogue())
    assert database.moves == 2
    assert database.may_have_other_columns(b"SELECT * FROM comet", 0)
    assert not database.may_have_other_columns(b"SELECT * FROM star", 0)
    assert not database.may_have_other_columns(b"SELECT * FROM comet", 1)


def test_where_nobody_knows_what_has_changed_all_may_have() -> None:
    database = Database("sky", 5)
    database.columns_moved(None, sky.catalogue())
    assert database.may_have_other_columns(b"SELECT * FROM star", 0)
    assert not database.may_have_other_columns(b"SELECT * FROM star", 1)
