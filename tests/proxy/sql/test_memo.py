"""The parser's memory."""

from __future__ import annotations

from proxy.sql.memo import Memo


def test_a_text_is_parsed_once() -> None:
    memo = Memo()
    assert memo.parse("SELECT 1") is memo.parse("SELECT 1")
    assert (memo.misses, memo.hits) == (1, 1)


def test_a_text_that_is_refused_is_remembered_as_refused() -> None:
    memo = Memo()
    assert memo.parse("SELEC").failure == "unparsable"
    assert memo.parse("SELEC").failure == "unparsable"
    assert memo.misses == 1


def test_the_least_recently_used_text_goes_first() -> None:
    memo = Memo(max_entries=2)
    for text in ("SELECT 1", "SELECT 2", "SELECT 1", "SELECT 3", "SELECT 1"):
        memo.parse(text)
    assert memo.misses == 3
    memo.parse("SELECT 2")
    assert memo.misses == 4


def test_the_memory_is_bounded_in_bytes() -> None:
    memo = Memo(max_bytes=4_000)
    for number in range(100):
        memo.parse(f"SELECT {number}")
    assert 0 < memo.estimated_bytes <= 4_000
    memo.parse("SELECT '" + "x" * 200 + "'")
    assert memo.estimated_bytes <= 4_000


def test_a_text_over_the_limit_is_not_parsed() -> None:
    memo = Memo(max_text_characters=20)
    assert memo.parse("SELECT 1234567890123456").failure == "size"
    assert (len(memo), memo.refused) == (0, 1)


def test_a_nul_byte_or_a_lone_surrogate_is_refused() -> None:
    memo = Memo()
    for text in ("SELECT '\0'", "SELECT '\udc80'"):
        assert memo.parse(text).failure == "unparsable" or memo.parse(text).statements
