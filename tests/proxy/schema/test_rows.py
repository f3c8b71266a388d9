"""Tests of the kinds of rows: each is described, and each row has as many cells as its description."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from proxy.schema.answers import Rows
from proxy.schema.rows import BUILT_IN, DATABASE
from tests.proxy.schema.origin import Origin

# What stands in an answer beside the rows.
SINGLE = {"database", "server_version", "encoding", "fingerprint", "built_in"}


def test_every_kind_of_row_is_described_and_asked_for() -> None:
    assert {kind.name for kind in DATABASE} == set(Rows.__annotations__) - SINGLE
    assert {kind.name for kind in BUILT_IN} < {kind.name for kind in DATABASE}


@pytest.mark.postgres
def test_every_row_has_the_cells_of_its_description(origin: Origin) -> None:
    origin.execute(
        "CREATE TABLE planet (id integer PRIMARY KEY DEFAULT 1 CHECK (id > 0)) WITH (fillfactor = 90);"
        "CREATE TABLE moon (planet integer REFERENCES planet) INHERITS (planet);"
        "CREATE VIEW seen AS SELECT * FROM planet; CREATE RULE r AS ON DELETE TO moon DO NOTHING;"
        "CREATE POLICY p ON planet USING (true); CREATE DOMAIN d AS integer CHECK (VALUE > 0);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';"
        "CREATE TRIGGER t BEFORE INSERT ON moon FOR EACH ROW EXECUTE FUNCTION f();"
    )
    for rows in (origin.rows(), origin.built_in_rows()):
        for name, hint in get_type_hints(Rows).items():
            cells = len(get_args(get_args(hint)[0])) if get_args(hint) else 0
            for row in rows.get(name, ()) if cells else ():  # type: ignore[attr-defined]  # by name
                assert len(row) == cells, name
