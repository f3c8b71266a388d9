"""A document: its values, and where they stand."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploy.document import Mistake, Value, read, shown
from tests.deploy.planted import MANIFEST

_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(_TREES)
def test_what_was_written_is_read(tree: Value) -> None:
    assert read(yaml.safe_dump(tree)).tree == tree


def test_the_projects_manifest_reads_as_any_other_reader_reads_it() -> None:
    assert read(MANIFEST).tree == yaml.safe_load(MANIFEST)


def test_every_value_knows_its_line() -> None:
    document = read("a:\n  - b: 1\n  -\n    c: 2\n")
    assert document.mistake(("a", 1, "c"), "wrong") == Mistake(4, "a[1].c", "wrong")
    assert document.mistake(("a", 0, "absent"), "missing").line == 2
    assert document.mistake(("absent", "too"), "missing").line == 1


def test_a_mistake_is_told_with_line_and_place() -> None:
    assert str(Mistake(4, "a[1].c", "wrong")) == "4: a[1].c: wrong"
    assert str(Mistake(4, "", "wrong")) == "4: wrong"
    assert shown(("services", 0, "definition")) == "services[0].definition"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a: [1\nb: 2\n", "2: this is not YAML: expected ',' or ']', but got ':'"),
        ("a: 1\nb: 2\na: 3\n", "3: a: this key stands here twice"),
        ("a: &x [*x]\n", "1: an alias contains itself"),
        ("a: *x\n", "1: this is not YAML: found undefined alias 'x'"),
        ("a: 1\n---\nb: 2\n", "2: this is not YAML: but found another document"),
        ("\x00", "1: this is not YAML: unacceptable character #x0000: special characters are not allowed"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, mistake: str) -> None:
    assert [str(each) for each in read(text).mistakes] == [mistake]


def test_anchors_and_merged_keys_are_followed() -> None:
    assert read("a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: *x\n").tree == {
        "a": {"b": 1},
        "c": {"b": 1, "d": 2},
        "e": {"b": 1},
    }


def test_a_date_is_its_text() -> None:
    assert read("a: 2026-01-02\n").tree == {"a": "2026-01-02"}


def test_a_spot_that_is_absent_or_of_another_type_is_nothing() -> None:
    spot = read("a: {b: [1, two], c: true}\n").root["a"]
    assert [each.number for each in spot["b"]] == [1, None]
    assert [each.text for each in spot["b"]] == ["", "two"]
    assert spot["c"].number is None
    assert not spot["absent"]["deeper"]
    assert list(spot["c"]) == []
