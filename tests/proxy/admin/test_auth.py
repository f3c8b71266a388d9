"""Who gets in: the rule of the window, header by header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.auth import Guard

OPEN = Guard("127.0.0.1", is_loopback=True)
LOCKED = Guard("0.0.0.0", is_loopback=False, token="hunter2")
BARE = Guard("0.0.0.0", is_loopback=False)


def status(guard: Guard, path: str = "/stats", **headers: str) -> int:
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    refusal = guard.refusal(path, {"host": "127.0.0.1:6433", **given_headers})
    return refusal.status if refusal else 200


def test_loopback_without_a_token_is_open_to_this_machine() -> None:
    for host in ("127.0.0.1:6433", "localhost:6433", "LOCALHOST", "[::1]:6433"):
        assert status(OPEN, host=host) == 200
    assert status(Guard("admin.local", is_loopback=True), host="admin.local:1") == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:6433", "", "127.0.0.1.evil.example", "[evil]"]
)
def test_a_page_that_rebinds_its_name_is_refused(host: str) -> None:
    assert status(OPEN, host=host) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_a_page_of_another_site_is_refused_even_with_the_token(headers: dict[str, str]) -> None:
    assert status(OPEN, **headers) == 403
    assert status(LOCKED, authorization="Bearer hunter2", **headers) == 403
    assert status(OPEN, "/live", **headers) == 403


def test_a_page_of_our_own_is_let_in() -> None:
    assert status(OPEN, origin="http://127.0.0.1:6433", sec_fetch_site="same-origin") == 200
    assert status(OPEN, sec_fetch_site="none") == 200


def test_with_a_token_every_host_and_address_wants_it() -> None:
    assert status(LOCKED) == 401
    assert status(LOCKED, authorization="Bearer wrong") == 401
    assert status(LOCKED, authorization="Basic hunter2") == 401
    assert status(LOCKED, authorization="Bearer") == 401
    assert status(LOCKED, authorization="Bearer hunter2", host="cache.internal:6433") == 200
    assert status(Guard("127.0.0.1", is_loopback=True, token="t")) == 401


def test_an_address_that_others_reach_is_closed_without_a_token() -> None:
    assert status(BARE) == 401
    assert status(BARE, authorization="Bearer ") == 401


def test_probes_need_no_token_and_any_host() -> None:
    for path in ("/live", "/ready"):
        assert status(BARE, path, host="10.0.0.7:6433") == 200
        assert status(LOCKED, path, host="cache.internal") == 200


def test_no_repr_shows_the_token() -> None:
    assert "hunter2" not in repr(LOCKED)


@given(st.text(), st.text())
def test_no_other_token_opens(credentials: str, host: str) -> None:
    assert (
        credentials.strip() == "hunter2"
        or status(LOCKED, authorization=f"Bearer {credentials}", host=host) != 200
    )
