"""The door: what may be remembered, what may not, and that nothing gets past it by accident."""

from __future__ import annotations

import pytest

from proxy.sql.analyse import analyse_without_catalogue
from proxy.sql.analysis import UNKNOWN, Control, Doubt, Extent
from tests.proxy.schema.origin import Origin
from tests.proxy.sql.observatory import Observatory
from tests.proxy.sql.statements import CACHEABLE, TRAPS


@pytest.mark.parametrize("text", CACHEABLE)
def test_what_drivers_send_is_cacheable(sky: Observatory, text: str) -> None:
    statement = sky.statement(text)
    assert statement.reason == ""
    assert statement.reads
    assert statement.reach.extent == Extent.NOTHING
    assert statement.state == ()


def test_what_drivers_send_is_what_the_server_understands(ground: Origin) -> None:
    for number, text in enumerate(CACHEABLE):
        ground.execute(f"PREPARE s{number} AS {text}")


@pytest.mark.soundness("2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
@pytest.mark.parametrize(("reason", "text"), TRAPS)
def test_a_trap_is_denied_for_its_reason(sky: Observatory, reason: str, text: str) -> None:
    assert sky.reason(text) == reason


def test_a_relation_that_is_not_in_the_catalogue_is_told(sky: Observatory) -> None:
    assert sky.analysis("SELECT * FROM made_a_moment_ago").unknown_relations
    assert not sky.analysis("SELECT * FROM planets").unknown_relations


@pytest.mark.soundness("3.2")
def test_transform_null_equals_denies(sky: Observatory) -> None:
    assert sky.at(transform_null_equals=True).reason("SELECT id FROM planets WHERE name = NULL") == "settings"


@pytest.mark.soundness("3.2")
def test_backslashes_under_nonstandard_strings_leave_nothing_proven(sky: Observatory) -> None:
    odd = sky.at(standard_conforming_strings=False)
    read = odd.statement(r"SELECT id FROM planets WHERE name = 'a\'")
    assert (read.reason, read.reach.proven) == ("settings", False)
    assert odd.reason("SELECT id FROM planets WHERE name = 'a'") == ""


def test_the_operators_globs_deny_tables_and_views_over_them(sky: Observatory) -> None:
    guarded = sky.at(never_cache=("public.planet*",))
    assert guarded.reason("SELECT id FROM planets") == "never"
    assert guarded.reason("SELECT id FROM v_planets") == "never"
    assert guarded.reason("SELECT id FROM moons") == ""


@pytest.mark.soundness("2.2")
def test_a_schema_that_the_role_may_not_use_is_skipped_in_the_path(sky: Observatory) -> None:
    stranger = sky.at(path=("pg_catalog", "shop", "public"), user="nobody")
    owner = sky.at(path=("pg_catalog", "shop", "public"))
    assert owner.statement("SELECT id FROM items").reads != stranger.statement("SELECT id FROM items").reads


@pytest.mark.soundness("4.3")
def test_a_statement_behind_a_moved_path_is_not_proven(sky: Observatory) -> None:
    first, second = sky.analysis("SET search_path = shop; UPDATE items SET id = 1").statements
    assert first.reach.proven
    assert not second.reach.proven
    assert sky.reach("SET statement_timeout = 5; UPDATE moons SET id = 1") == {"moons"}


@pytest.mark.soundness("4.3")
@pytest.mark.parametrize(
    "before", ["SET ROLE bob", "DISCARD ALL", "ROLLBACK", "CREATE TEMP TABLE moons (id int)"]
)
def test_a_read_behind_a_change_of_names_or_role_is_denied(sky: Observatory, before: str) -> None:
    assert sky.analysis(f"{before}; SELECT * FROM moons").statements[1].reason == "settings"


def test_a_text_that_the_grammar_refuses_is_unparsed_and_reaches_everything(sky: Observatory) -> None:
    analysis = sky.analysis("SELEC 1")
    assert analysis.unparsed
    assert analysis.reach == UNKNOWN
    assert analysis.statements[0].reason == "unparsable"
    assert analysis.statements[0].state == (Doubt(),)


@pytest.mark.soundness("7.6")
def test_a_text_over_the_limit_is_not_parsed_and_reaches_everything(sky: Observatory) -> None:
    analysis = sky.analysis("SELECT id FROM planets WHERE id IN (" + "1," * 100_000 + "1)")
    assert not analysis.unparsed
    assert analysis.reach == UNKNOWN
    assert analysis.statements[0].reason == "size"


@pytest.mark.soundness("7.6")
@pytest.mark.parametrize("depth", [500, 3_000, 20_000])
def test_a_deeply_nested_text_is_denied_and_never_crashes(sky: Observatory, depth: int) -> None:
    for text in (
        f"SELECT {'(' * depth}id{')' * depth} FROM planets",
        f"SELECT {'- ' * depth}id FROM planets",
    ):
        statement = sky.statement(text)
        assert statement.reason == "" or statement.reach == UNKNOWN


def test_an_empty_text_has_no_statement(sky: Observatory) -> None:
    assert sky.analysis(" -- nothing\n;").statements == ()


def test_without_a_catalogue_reads_bypass_and_writes_reach_everything() -> None:
    read, write, begin = analyse_without_catalogue("SELECT * FROM x; DELETE FROM x; BEGIN").statements
    assert (read.reason, read.verb) == ("catalogue", "select")
    assert not write.reach.proven
    assert begin.transaction is not None
    assert begin.transaction.control == Control.BEGIN
