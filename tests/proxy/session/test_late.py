"""session.late: the origin hears in time of what only the memory has answered."""

from __future__ import annotations

import pytest

from proxy.session import batch as steps
from proxy.session import late
from proxy.session.batch import Batch
from proxy.session.shapes import Shape
from proxy.session.statements import UNKNOWN_SCOPE, Prepared, Statements
from proxy.sql.analysis import Named, SetSetting, Statement
from proxy.wire import frontend

SCOPE = 3


def using(*statements: Prepared) -> Batch:
    batch = Batch()
    batch.named.extend(statements)
    return batch


def prepared(name: bytes = b"s", scope: int = SCOPE) -> Prepared:
    return Prepared(name, b"SELECT 1", b"", scope, None, None)


def parses(batch: Batch, scope: int | None) -> list[tuple[int, bytes]]:
    return late.parses(late.unknown_to_origin(batch, scope), (), Statements(), None)[0]


def parse(name: bytes) -> tuple[int, bytes]:
    return steps.LATE_PARSE, frontend.parse(name, b"SELECT 1")


def test_a_statement_is_parsed_once_before_its_use() -> None:
    batch = using(prepared())
    assert parses(batch, SCOPE) == [parse(b"s")]
    assert parses(batch, SCOPE) == []


def test_a_statement_of_other_settings_is_never_parsed_late() -> None:
    assert parses(using(prepared(scope=SCOPE + 1)), SCOPE) == []
    assert parses(using(prepared()), None) == []


def test_a_statement_that_the_batch_brings_is_not_parsed_twice() -> None:
    statement = prepared()
    batch = using(statement)
    batch.parsed.append((statement, None))
    assert parses(batch, SCOPE) == []


def test_a_name_in_use_is_parsed_so_that_the_origin_refuses_the_next_one() -> None:
    batch = using()
    batch.parsed.append((prepared(), prepared(scope=SCOPE + 1)))
    assert parses(batch, SCOPE) == [parse(b"s")]


def test_what_answering_ended_is_closed_once() -> None:
    statements = Statements()
    statements.end_unnamed()
    assert late.closes(Batch(), statements) == (
        frontend.close(frontend.STATEMENT, b""),
        frontend.close(frontend.PORTAL, b""),
    )
    assert late.closes(Batch(), statements) == ()


def test_a_portal_that_a_hit_replaced_is_closed() -> None:
    statements = Statements()
    statements.portal_is_ours = True
    assert late.closes(Batch(), statements) == (frontend.close(frontend.PORTAL, b""),)


def test_a_query_ends_both_by_itself() -> None:
    statements = Statements()
    statements.end_unnamed()
    statements.portal_is_ours = True
    batch = Batch()
    batch.simple = Shape(SCOPE, {}, b"SELECT 1")
    assert late.closes(batch, statements) == ()
    assert late.closes(Batch(), statements) == ()


UTC, TOKYO = ("UTC",), ("Asia/Tokyo",)
LITERAL = b"SELECT id FROM t WHERE at = '2020-01-01'"


def with_literal(name: bytes = b"s") -> Prepared:
    statement = Prepared(name, LITERAL, b"", SCOPE, None, None)
    statement.literals = UTC
    return statement


@pytest.mark.soundness("3.5")
@pytest.mark.parametrize(("literals", "scope"), [(UTC, SCOPE), (TOKYO, UNKNOWN_SCOPE), (None, UNKNOWN_SCOPE)])
def test_a_use_under_other_settings_or_uncertain_ones_is_noted(
    literals: tuple[str, ...] | None, scope: int
) -> None:
    statement = with_literal()
    late.note_uses(using(statement), (), Statements(), literals)
    assert statement.scope == scope


@pytest.mark.soundness("3.5")
def test_a_use_by_execute_is_one() -> None:
    statements, statement = Statements(), with_literal(b"behind")
    statements.named[b"behind"] = statement
    ran = Statement("execute", named=Named("execute", "behind"))
    late.note_uses(Batch(), (ran,), statements, TOKYO)
    assert statement.scope == UNKNOWN_SCOPE


@pytest.mark.soundness("3.5")
def test_what_is_parsed_behind_a_set_of_its_own_batch_has_uncertain_settings() -> None:
    statement, ran = with_literal(), Statement("set", state=(SetSetting("timezone", "Asia/Tokyo"),))
    for plan, scope in ((b"PBE", SCOPE), (b"PBEP", UNKNOWN_SCOPE)):
        batch = using(statement)
        batch.plan.extend(plan)
        late.note_uses(batch, (ran,), Statements(), UTC)
        assert statement.scope == scope
