"""The oids that the room knows by heart, compared with a server's."""

# ruff: noqa: E501 - statements stand as they are sent
from __future__ import annotations

from proxy.sql.proof import oids
from tests.proxy.schema.origin import Origin
from tests.proxy.sql.observatory import Observatory


def test_each_constant_is_the_oid_of_the_type_of_that_name(sky: Observatory) -> None:
    names = sky.catalogue.type_names
    constants = {
        name: value for name, value in vars(oids).items() if name.isupper() and isinstance(value, int)
    }
    constants = {name: value for name, value in constants.items() if value}
    spelled = {"RECORD_ARRAY": "_record", "TIMESTAMPTZ": "timestamptz"}
    for name, value in constants.items():
        assert names["pg_catalog", spelled.get(name, name.lower())] == value


def test_preferred_types_are_the_servers(ground: Origin) -> None:
    rows = ground.execute(
        "SELECT oid::int8 FROM pg_type WHERE typispreferred AND typcategory IN ('B','S','N','D','T','I','V') AND oid < 16384 AND typname !~ '^reg'"
    )
    assert {oid for (oid,) in rows} == oids.PREFERRED


def test_types_without_a_default_order_are_the_servers(ground: Origin) -> None:
    rows = ground.execute(
        "SELECT t.oid::int8 FROM pg_type t WHERE t.typtype = 'b' AND t.oid < 16384 AND t.typcategory <> 'A' AND NOT EXISTS "
        "(SELECT 1 FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod WHERE a.amname = 'btree' AND c.opcdefault "
        "AND (c.opcintype = t.oid OR EXISTS (SELECT 1 FROM pg_cast k WHERE k.castsource = t.oid "
        "AND k.casttarget = c.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i')))"
    )
    assert {oid for (oid,) in rows} <= oids.UNORDERED | oids.NAMING
