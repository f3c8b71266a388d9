"""policy: bounds that fit each other."""

from __future__ import annotations

from proxy.cache.policy import Limits


def test_the_largest_entry_is_a_small_part_of_the_memory() -> None:
    limits = Limits()
    assert limits.max_entry_bytes * 100 <= limits.cache_bytes
