"""How many clients the benchmark lets a machine try."""

from __future__ import annotations

import resource

import pytest

from bench.clients import _room


@pytest.mark.parametrize(("hard", "fit"), [(1 << 20, 10_000), (20_000, 9_900), (1_200, 500)])
def test_as_many_as_the_hard_limit_lets_the_proxy_serve(
    hard: int, fit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    found, why = _room(10_000)
    assert found == fit
    assert why == ("" if fit == 10_000 else f"the hard limit of open files is {hard}")
