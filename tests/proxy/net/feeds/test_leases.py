"""Until when a worker may answer from memory."""

from __future__ import annotations

import math

from proxy.net.feeds.leases import Leases


def test_without_others_it_may_for_ever() -> None:
    assert Leases((), 2.0).until == math.inf


def test_it_needs_a_lease_of_each() -> None:
    leases = Leases((1, 2), 2.0)
    leases.granted(1, 10.0)
    assert leases.until == -math.inf
    leases.vacant(2, 10.5)
    assert leases.until == 12.0
    leases.granted(1, 11.0)
    assert leases.until == 12.5
    leases.lost(2)
    assert leases.until == -math.inf
    assert leases.of(1) == 13.0
