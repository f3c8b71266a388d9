"""What comes in is bounded, whatever its form; nothing is written by a request that is refused."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.models import MAX_NAME_LENGTH, NewPlanet
from tests.app.test_planets import FIRST

_ASKS = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]
_REFUSED: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"{}",
    b'{"name": ""}',
    b'{"name": "   "}',
    b'{"name": 7}',
    b'{"name": null}',
    b'{"name": "a\\u0000b"}',
    b'{"name": "a\\u2028b"}',
    b'{"name": "\\ud800"}',
    b'{"name": "line\\nfeed"}',
    b'{"name": "X", "mass": 1}',
    b'{"name": "X", "id": 0}',
    b'{"name": "X", "id": 2147483648}',
    b'{"name": "X", "id": 1.5}',
    b'{"name": "' + b"x" * (MAX_NAME_LENGTH + 1) + b'"}',
    b"\xff\xfe",
]


class TestRequests:
    pytestmark = _ASKS

    @pytest.mark.parametrize("body", _REFUSED)
    async def test_a_body_of_another_form_is_refused(self, api: httpx.AsyncClient, body: bytes) -> None:
        for method, path in (("POST", "/planets"), ("PATCH", "/planets/1")):
            response = await api.request(
                method, path, content=body, headers={"Content-Type": "application/json"}
            )
            assert response.status_code in {400, 422}
            assert response.headers["Content-Type"] == "application/problem+json"
        assert (await api.get("/planets")).json() == FIRST

    @pytest.mark.parametrize(
        "planet_id", ["0", "-1", "2147483648", "99999999999999999999", "x", "1.5", "%00"]
    )
    async def test_an_id_that_no_planet_can_have_is_refused(
        self, api: httpx.AsyncClient, planet_id: str
    ) -> None:
        assert (await api.get(f"/planets/{planet_id}")).status_code == 422

    @pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=-1", "after=2147483648"])
    async def test_a_page_beyond_its_bounds_is_refused(self, api: httpx.AsyncClient, query: str) -> None:
        assert (await api.get(f"/planets?{query}")).status_code == 422


@given(st.text())
def test_an_accepted_name_is_printable_and_within_its_bounds(name: str) -> None:
    try:
        accepted = NewPlanet(name=name).name
    except ValidationError:
        return
    assert accepted.isprintable()
    assert 1 <= len(accepted) <= MAX_NAME_LENGTH
    assert accepted == name.strip()
