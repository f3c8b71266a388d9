"""What counts as a difference, and what does not."""

from __future__ import annotations

from proxy.wire import backend
from proxy.wire.backend import Column
from proxy.wire.framing import Frame, compose
from tests.differential.comparison import DIRECT_NAME, PROXIED_NAME, Comparer

DONE = Frame(backend.COMMAND_COMPLETE, compose(backend.COMMAND_COMPLETE, b"SELECT 2\0"))


def row(value: bytes) -> Frame:
    raw = backend.data_row([value])
    return Frame(raw[0], raw)


def columns(table: int, type_oid: int = 25) -> Frame:
    raw = backend.row_description([Column("name", type_oid, table=table)])
    return Frame(raw[0], raw)


def failure() -> Frame:
    raw = backend.error_response("ERROR", "22012", "division by zero")
    return Frame(raw[0], raw)


def refusal(database: str) -> Frame:
    raw = backend.error_response("ERROR", "42501", f"permission denied for database {database}")
    return Frame(raw[0], raw)


def notification(pid: int) -> Frame:
    raw = compose(backend.NOTIFICATION_RESPONSE, pid.to_bytes(4, "big") + b"news\0hello\0")
    return Frame(raw[0], raw)


def test_equal_replies_do_not_differ() -> None:
    assert not Comparer().difference(
        [columns(20000), row(b"a"), DONE], [columns(20000), row(b"a"), DONE], ordered=True
    )


def test_one_changed_byte_is_a_difference_that_names_both_sides() -> None:
    seen = Comparer().difference([row(b"a"), DONE], [row(b"b"), DONE], ordered=True)
    assert seen.splitlines() == [
        r"direct:  DataRow b'\x00\x01\x00\x00\x00\x01a'",
        r"proxied: DataRow b'\x00\x01\x00\x00\x00\x01b'",
    ]


def test_a_missing_message_is_a_difference() -> None:
    assert Comparer().difference([row(b"a"), DONE], [row(b"a")], ordered=False)


def test_the_order_of_rows_counts_only_where_it_is_defined() -> None:
    direct, proxied = [row(b"a"), row(b"b"), DONE], [row(b"b"), row(b"a"), DONE]
    assert Comparer().difference(direct, proxied, ordered=True)
    assert not Comparer().difference(direct, proxied, ordered=False)


def test_equal_rows_are_counted_even_without_an_order() -> None:
    direct, proxied = [row(b"a"), row(b"a"), row(b"b"), DONE], [row(b"a"), row(b"b"), row(b"b"), DONE]
    assert Comparer().difference(direct, proxied, ordered=False)


def test_rows_before_an_error_count_only_where_their_order_is_defined() -> None:
    assert not Comparer().difference([row(b"a"), failure()], [failure()], ordered=False)
    assert Comparer().difference([row(b"a"), failure()], [failure()], ordered=True)


def test_oids_of_the_twins_tables_may_differ_if_they_always_differ_in_the_same_way() -> None:
    comparer = Comparer()
    assert not comparer.difference([columns(20000)], [columns(30000)], ordered=True)
    assert not comparer.difference([columns(20000)], [columns(30000)], ordered=True)
    assert comparer.difference([columns(20001)], [columns(30000)], ordered=True)
    assert comparer.difference([columns(20000)], [columns(30001)], ordered=True)


def test_oids_of_built_in_types_must_be_equal() -> None:
    assert Comparer().difference([columns(20000, 25)], [columns(20000, 23)], ordered=True)


def test_a_notification_of_ones_own_carries_ones_own_process_id() -> None:
    told = Comparer().difference
    assert not told([notification(7)], [notification(8)], ordered=True, own=(7, 8))
    assert told([notification(7)], [notification(9)], ordered=True, own=(7, 8))


def test_an_error_may_name_the_twin_that_it_is_of() -> None:
    told = Comparer().difference
    assert not told([refusal(f"{DIRECT_NAME}1")], [refusal(f"{PROXIED_NAME}1")], ordered=True)
    assert told([refusal(f"{DIRECT_NAME}1")], [refusal(f"{PROXIED_NAME}2")], ordered=True)
