"""Type names, casts, and the type that several expressions share: as the server decides."""

from __future__ import annotations

import pytest

from proxy.sql.proof import oids
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.proof import Context, Proof
from proxy.sql.proof.typenames import common_type
from tests.proxy.schema.origin import Origin
from tests.proxy.sql.observatory import Observatory


@pytest.mark.parametrize(
    "types",
    [("int4", "int8"), ("int4", "numeric"), ("numeric", "float8"), ("text", "varchar"), ("varchar", "text"),
     ("date", "timestamptz"), ("timestamp", "date"), ("int2", "int4", "numeric"), ("bpchar", "text")],
)  # fmt: skip
def test_a_common_type_is_the_servers(sky: Observatory, ground: Origin, types: tuple[str, ...]) -> None:
    names = sky.catalogue.type_names
    ours = common_type(
        Proof(Knowledge(sky.catalogue), Context(path=())), [names["pg_catalog", name] for name in types]
    )
    ((real,),) = ground.execute(
        f"SELECT pg_typeof(coalesce({', '.join(f'NULL::{t}' for t in types)}))::oid::int8"
    )
    assert ours == real


def test_types_of_two_categories_have_nothing_in_common(sky: Observatory) -> None:
    proof = Proof(Knowledge(sky.catalogue), Context(path=()))
    assert common_type(proof, [oids.INT4, oids.TEXT]) == oids.UNTYPED
    assert common_type(proof, [oids.UNKNOWN, oids.UNKNOWN]) == oids.TEXT
    assert common_type(proof, [oids.UNKNOWN, oids.DATE]) == oids.DATE


@pytest.mark.soundness("2.5")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT id::int8, mass::int, name::varchar(3), id::text::int FROM planets", ""),
        ("SELECT seen_at::date, discovered::timestamptz, created_at::time, mass::money FROM planets", ""),
        ("SELECT m::text, 'calm'::mood, tags::text, '{a,b}'::mood[] FROM zoo, planets", ""),
        ("SELECT info::text, raw::jsonb, uid::text, x::text FROM planets, zoo", ""),
        ("SELECT p::text, ROW(1, 'a')::text FROM zoo", ""),
        ("SELECT '2020-01-01'::date, '[2020-01-01,2021-01-01)'::tstzrange, id FROM moons", ""),
        ("SELECT name::mood FROM planets", ""),
        ("SELECT name::timestamptz[] FROM planets", "date"),
        ("SELECT m::text::date FROM zoo", "date"),
        ("SELECT p::text::pair FROM zoo", "date"),
        ("SELECT id::nowhere FROM planets", "type"),
        ("SELECT name::email FROM planets", "type"),
        ("SELECT name::regproc FROM planets", "regtype"),
    ],
)
def test_casts_are_judged_by_where_the_text_comes_from(sky: Observatory, text: str, reason: str) -> None:
    assert sky.reason(text) == reason


def test_a_cast_to_a_domain_writes_nothing_only_if_its_check_does(sky: Observatory) -> None:
    assert sky.reach("SELECT name::email FROM planets") == "nothing"
    assert sky.reach("SELECT id::guarded FROM planets") == "unknown"
