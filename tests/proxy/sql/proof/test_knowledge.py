"""Facts about types: what hides in an array, a domain, a range, a row."""

from __future__ import annotations

import pytest

from proxy.schema.catalogue import Cast
from proxy.sql.proof.knowledge import MAX_REMEMBERED, Knowledge, Memory
from tests.proxy.sql.observatory import Observatory


@pytest.fixture(scope="module")
def knowledge(sky: Observatory) -> Knowledge:
    return Knowledge(sky.catalogue)


def _type(knowledge: Knowledge, name: str) -> int:
    names = knowledge.catalogue.type_names
    return names.get(("pg_catalog", name)) or names["public", name]


@pytest.mark.soundness("2.5")
@pytest.mark.parametrize(
    "name", ["date", "_date", "time", "timestamptz", "tstzrange", "datemultirange", "pair", "_pair", "record"]
)
def test_dates_are_found_in_whatever_holds_them(knowledge: Knowledge, name: str) -> None:
    assert knowledge.holds_dates(_type(knowledge, name))


@pytest.mark.parametrize(
    "name", ["int4", "text", "interval", "jsonb", "_text", "int4range", "mood", "email", "any"]
)
def test_other_types_hold_no_dates(knowledge: Knowledge, name: str) -> None:
    assert not knowledge.holds_dates(_type(knowledge, name))


@pytest.mark.soundness("2.5")
def test_an_unknown_type_may_hold_anything(knowledge: Knowledge) -> None:
    for ask in (knowledge.holds_dates, knowledge.holds_text):
        assert ask(0)
        assert ask(4_000_000_000)
    assert knowledge.taint(4_000_000_000) == "type"
    assert not knowledge.is_ordered(0)


@pytest.mark.soundness("2.4", "2.5")
@pytest.mark.parametrize(
    ("name", "word"),
    [("regclass", "regtype"), ("_regproc", "regtype"), ("aclitem", "regtype"), ("timetz", "date")],
)
def test_types_that_print_names_or_today_are_tainted(knowledge: Knowledge, name: str, word: str) -> None:
    assert knowledge.taint(_type(knowledge, name)) == word


@pytest.mark.parametrize("name", ["int4", "mood", "pair", "plain_text", "int4range", "_text", "planets"])
def test_built_in_types_and_what_is_made_of_them_are_clean(knowledge: Knowledge, name: str) -> None:
    assert knowledge.taint(_type(knowledge, name)) == ""


@pytest.mark.soundness("2.4")
@pytest.mark.parametrize("name", ["json", "xml", "point", "_json", "planets"])
def test_types_without_an_order_of_postgresqls_own_are_told(knowledge: Knowledge, name: str) -> None:
    assert not knowledge.is_ordered(_type(knowledge, name))


def test_the_checks_of_a_domain_are_found_inside_an_array(knowledge: Knowledge) -> None:
    assert len(knowledge.checks(_type(knowledge, "_email"))) == 1
    assert knowledge.checks(_type(knowledge, "plain_text")) == ()


def _with_cast(sky: Observatory, cast: Cast) -> Knowledge:
    catalogue = sky.catalogue
    return Knowledge(
        type(catalogue)(
            **{
                **{name: getattr(catalogue, name) for name in catalogue.__slots__},
                "casts": {**catalogue.casts, (cast.source, cast.target): cast},
            }
        )
    )


@pytest.mark.parametrize(
    ("cast", "treacherous"),
    [
        (Cast(25, 1082, 0, "i", "i"), True),  # text to date, unasked
        (Cast(25, 1082, 0, "e", "i"), False),
        (Cast(25, 23, 0, "i", "i"), False),
        (Cast(25, 2205, 0, "i", "i"), True),
        (Cast(25, 23, 99_999, "i", "f"), False),  # judged where it is used
    ],
)
def test_casts_that_postgresql_slips_in_are_told(sky: Observatory, cast: Cast, treacherous: bool) -> None:
    assert _with_cast(sky, cast).treacherous is treacherous
    assert not Knowledge(sky.catalogue).treacherous


@pytest.mark.soundness("2.4")
def test_a_users_cast_is_told_where_it_would_be_used(sky: Observatory) -> None:
    knowledge = _with_cast(sky, Cast(25, 23, 99_999, "a", "f"))
    assert knowledge.converts_by_user(25, 23)
    assert knowledge.converts_by_user(0, 23)
    assert not knowledge.converts_by_user(23, 25)
    assert not Knowledge(sky.catalogue).converts_by_user(0, 23)


def test_the_printers_of_json_call_users_casts(sky: Observatory) -> None:
    knowledge = _with_cast(sky, Cast(600, 114, 99_999, "e", "f"))
    zoo = sky.catalogue.type_names["public", "zoo"]
    assert knowledge.prints_json_by_user(zoo)
    assert knowledge.prints_json_by_user(2249)
    assert not knowledge.prints_json_by_user(23)
    assert not Knowledge(sky.catalogue).prints_json_by_user(0)


@pytest.mark.soundness("7.6")
def test_the_memory_is_bounded() -> None:
    memory = Memory()
    for number in range(MAX_REMEMBERED + 10):
        assert memory.recall(number, lambda number=number: number) == number  # type: ignore[misc]  # bound now
    assert memory.recall(3, lambda: "again") == "again"
