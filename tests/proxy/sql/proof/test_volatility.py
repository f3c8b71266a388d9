"""The written lists, held against what real servers say of their functions."""

from __future__ import annotations

import pytest

from proxy.schema.catalogue import Function
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.oids import ANYELEMENT
from proxy.sql.proof.volatility import CLOCKS, HARMLESS, STABLE, denial, writes_nothing
from tests.proxy.sql.observatory import Observatory


def _overloads(sky: Observatory, name: str) -> list[Function]:
    functions = sky.catalogue.functions
    return [functions[oid] for oid in sky.catalogue.function_names.get(name, ())]


@pytest.mark.soundness("2.4")
def test_no_clock_stands_among_the_stable_functions_that_pass() -> None:
    assert CLOCKS & set(STABLE) == {"age"}
    assert all(" " in arguments for arguments in STABLE["age"])


@pytest.mark.soundness("2.4")
@pytest.mark.parametrize("name", sorted(STABLE))
def test_each_row_of_stable_names_a_function_of_the_server_or_of_a_newer_one(
    sky: Observatory, name: str
) -> None:
    knowledge = Knowledge(sky.catalogue)
    known = {knowledge.names(function.arguments) for function in _overloads(sky, name)}
    newer = {"date_add", "date_subtract", "timezone"} | {
        n for n in STABLE if "_strict" in n or "_unique" in n
    }
    assert name in newer or set(STABLE[name]) <= known


@pytest.mark.soundness("2.4")
def test_no_listed_function_is_volatile_at_the_server(sky: Observatory) -> None:
    for name in STABLE:
        assert all(function.volatility != "v" for function in _overloads(sky, name))


def test_no_harmless_function_is_of_a_kind_that_runs_queries() -> None:
    assert not any(name.endswith(("_to_xml", "_stat")) or "logical" in name for name in HARMLESS)
    assert HARMLESS.isdisjoint({"lo_create", "pg_reload_conf", "dblink", "pg_promote", "pg_read_file"})


def _function(**changes: object) -> Function:
    values: dict[str, object] = {
        "oid": 20_000,
        "schema": "public",
        "name": "f",
        "arguments": (),
        "result": 23,
        "volatility": "i",
        "kind": "f",
        "language": "c",
        "extension": None,
    }
    return Function(**(values | changes))  # type: ignore[arg-type]  # for tests


@pytest.mark.soundness("2.4")
@pytest.mark.parametrize(
    ("function", "word", "harmless"),
    [
        (_function(), "function", False),
        (_function(extension="citext"), "", True),
        (_function(extension="citext", language="sql"), "function", False),
        (_function(extension="citext", volatility="s"), "function", True),
        (_function(extension="uuid-ossp", volatility="v", name="uuid_generate_v4"), "function", True),
        (_function(extension="pgcrypto", volatility="v", name="pgp_sym_encrypt"), "function", False),
        (_function(extension="vector"), "function", True),
        (_function(extension="hstore", name="populate_record", result=ANYELEMENT), "function", False),
        (_function(extension="dblink"), "function", False),
        (_function(schema="pg_catalog"), "function", False),
        (_function(oid=100, schema="pg_catalog"), "", True),
        (_function(oid=100, schema="pg_catalog", result=1266), "date", True),
        (_function(oid=100, schema="pg_catalog", name="table_to_xml", volatility="s"), "volatile", False),
    ],
)
def test_labels_are_believed_only_of_those_who_earned_it(
    function: Function, word: str, harmless: bool
) -> None:
    assert denial(function, "") == word
    assert writes_nothing(function) is harmless
