"""scopes: equal contents, equal numbers; and never one number for two contents."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.scopes import Content, Scopes

contents = st.tuples(st.integers(0, 3), st.sampled_from(["anna", "bert"]), st.sampled_from(["UTC", "CET"]))


def test_equal_contents_share_a_number() -> None:
    scopes = Scopes(10)
    assert scopes.intern((1, "anna", ("a", "b"))) == scopes.intern((1, "anna", ("a", "b")))


@given(st.lists(contents), st.integers(1, 6))
def test_no_number_is_given_to_two_contents(seen: list[Content], limit: int) -> None:
    scopes = Scopes(limit)
    owner: dict[int, Content] = {}
    for content in seen:
        assert owner.setdefault(scopes.intern(content), content) == content
        assert len(scopes) <= limit


def test_the_content_unused_for_longest_is_forgotten_first() -> None:
    scopes = Scopes(2)
    first, second = scopes.intern((1,)), scopes.intern((2,))
    scopes.intern((1,))
    scopes.intern((3,))
    assert scopes.intern((1,)) == first
    assert scopes.intern((2,)) != second
    assert scopes.forgotten == 2
