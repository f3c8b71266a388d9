"""What travels arrives as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.facets import RowChange
from proxy.cache.tags import ORIGIN, Reach, relations_of, whole
from proxy.net.feeds.messages import decode, encode, reach_read, reach_told

oids = st.integers(0, (1 << 32) - 1)
values = st.none() | st.integers() | st.binary()
changes = st.builds(
    RowChange,
    oids,
    st.none() | st.frozensets(st.integers(1, 1600)),
    st.lists(st.tuples(st.integers(1, 1600), st.lists(values).map(tuple))).map(tuple),
)
reaches = st.one_of(
    st.just(ORIGIN),
    oids.map(whole),
    st.builds(relations_of, oids, st.frozensets(oids), st.frozensets(changes)),
)


@given(reaches)
def test_a_reach_arrives_as_it_was(reach: Reach) -> None:
    line = encode("suspend", 1, reach_told(reach))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert reach_read(decode(line)[2]) == reach


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"1", b"[1"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(line)
