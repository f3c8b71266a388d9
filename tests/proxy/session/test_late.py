"""session.late: the origin hears in time of what only the memory has answered."""

from __future__ import annotations

from proxy.session import late
from proxy.session.batch import Batch
from proxy.session.shapes import Shape
from proxy.session.statements import Prepared, Statements
from proxy.wire import frontend

SCOPE = 3


def using(*statements: Prepared) -> Batch:
    batch = Batch()
    batch.named.extend(statements)
    return batch


def prepared(name: bytes = b"s", scope: int = SCOPE) -> Prepared:
    return Prepared(name, b"SELECT 1", b"", scope, None, None)


def test_a_statement_is_parsed_once_before_its_use() -> None:
    batch = using(prepared())
    assert late.parses(batch, SCOPE, ()) == [frontend.parse(b"s", b"SELECT 1")]
    assert late.parses(batch, SCOPE, ()) == []


def test_a_statement_of_other_settings_is_never_parsed_late() -> None:
    assert late.parses(using(prepared(scope=SCOPE + 1)), SCOPE, ()) == []
    assert late.parses(using(prepared()), None, ()) == []


def test_a_statement_that_the_batch_brings_is_not_parsed_twice() -> None:
    statement = prepared()
    batch = using(statement)
    batch.parsed.append((statement, None))
    assert late.parses(batch, SCOPE, ()) == []


def test_a_name_in_use_is_parsed_so_that_the_origin_refuses_the_next_one() -> None:
    batch = using()
    batch.parsed.append((prepared(), prepared(scope=SCOPE + 1)))
    assert late.parses(batch, SCOPE, ()) == [frontend.parse(b"s", b"SELECT 1")]


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
