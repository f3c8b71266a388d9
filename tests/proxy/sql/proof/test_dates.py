"""Moving words are found wherever PostgreSQL's reader would find them."""

from __future__ import annotations

import pytest

from proxy.sql.proof.dates import is_moving


@pytest.mark.soundness("2.5")
@pytest.mark.parametrize(
    "value",
    [
        b"now",
        b" NOW ",
        b"Today",
        b"tomorrow 12:00",
        b"12:00 yesterday",
        b"{2020-01-01,now}",
        b'{"n\\ow"}',
        b'[no"w",)',
        b'(1,"a","tod\\ay")',
        b'{"a": "now"}',
        b"12now",
        b"now\xc3\xa4",
    ],
)
def test_a_moving_word_is_found(value: bytes) -> None:
    assert is_moving(value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"2020-01-01",
        b"known",
        b"nowhere",
        b"snow",
        b"todays",
        b"infinity",
        b"epoch",
        b"allballs",
        b"no w",
    ],
)
def test_other_words_do_not_move(value: bytes) -> None:
    assert not is_moving(value)


@pytest.mark.soundness("2.5")
def test_a_moving_word_in_binary_form_may_follow_any_byte() -> None:
    # The length of an array's element, 97, is an "a".
    assert is_moving(b"\0\0\0\x61now".ljust(101), binary=True)
    assert not is_moving(b"\0\0\0\0\0\0\0\x01", binary=True)
