"""counters: additions, and nothing else."""

from __future__ import annotations

from proxy.metrics.counters import Counters


def test_bypasses_are_counted_by_reason_and_together() -> None:
    counters = Counters()
    for reason in ("volatile", "transaction", "volatile"):
        counters.bypass(reason)
    assert counters.bypass_reasons == {"volatile": 2, "transaction": 1}
    assert counters.bypasses == 3


def test_the_peak_of_clients_stays() -> None:
    counters = Counters()
    counters.client_opened()
    counters.client_opened()
    counters.client_closed()
    counters.client_opened()
    assert (counters.clients_open, counters.clients_peak) == (2, 2)
