"""session.virtual: equal meaning, equal name."""

from __future__ import annotations

from proxy.session.statements import UNKNOWN_SCOPE
from proxy.session.virtual import Virtuals

TEXT, INT8 = b"SELECT $1", b"\0\0\0\x14"


def test_what_means_the_same_has_one_name() -> None:
    virtuals = Virtuals()
    first = virtuals.of(TEXT, INT8, 1, 0)
    assert virtuals.of(TEXT, INT8, 1, 0) is first
    assert first.parse_frame == b"P\0\0\0\x1dorrery_1\0SELECT $1\0\0\1\0\0\0\x14"


def test_text_types_scope_and_columns_tell_names_apart() -> None:
    virtuals = Virtuals()
    form = frozenset(((16400, ((1, "id", 23, -1),)),))
    names = [
        virtuals.of(TEXT, INT8, 1, 0),
        virtuals.of(TEXT + b" ", INT8, 1, 0),
        virtuals.of(TEXT, b"", 1, 0),
        virtuals.of(TEXT, INT8, 2, 0),
        virtuals.of(TEXT, INT8, 1, 1),
        virtuals.of(TEXT, INT8, 1, form),
    ]
    assert len({one.name for one in names}) == len(names)


def test_under_uncertain_settings_nothing_means_the_same() -> None:
    virtuals = Virtuals()
    first = virtuals.of(TEXT, INT8, UNKNOWN_SCOPE, 0)
    assert virtuals.of(TEXT, INT8, UNKNOWN_SCOPE, 0) is not first


def test_a_name_that_nobody_holds_is_forgotten_and_never_given_again() -> None:
    virtuals = Virtuals()
    name = virtuals.of(TEXT, INT8, 1, 0).name
    assert len(virtuals) == 0
    assert virtuals.of(TEXT, INT8, 1, 0).name != name
