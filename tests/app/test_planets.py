"""The routes of /planets."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.postgres import Database

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

FIRST = [{"id": 1, "name": "Mercury"}, {"id": 2, "name": "Venus"}, {"id": 3, "name": "Mars"}]


async def test_the_list_is_in_order_of_ids(api: httpx.AsyncClient, planets_database: Database) -> None:
    # an update moves the row to the end of the table
    planets_database.execute("""UPDATE "Planet" SET name = name WHERE id = 1""")
    response = await api.get("/planets")
    assert (response.status_code, response.json()) == (200, FIRST)


async def test_the_list_comes_in_pages(api: httpx.AsyncClient) -> None:
    assert (await api.get("/planets?limit=2")).json() == FIRST[:2]
    assert (await api.get("/planets?limit=2&after=2")).json() == FIRST[2:]
    assert (await api.get("/planets?after=3")).json() == []


async def test_one_planet_is_read_or_not_found(api: httpx.AsyncClient) -> None:
    assert (await api.get("/planets/3")).json() == FIRST[2]
    assert (await api.get("/planets/4")).status_code == 404


async def test_a_new_planet_gets_the_next_id_and_a_location(api: httpx.AsyncClient) -> None:
    response = await api.post("/planets", json={"name": "  Saturn "})
    assert (response.status_code, response.json()) == (201, {"id": 4, "name": "Saturn"})
    assert (await api.get(response.headers["Location"])).json() == response.json()


async def test_an_id_that_is_taken_is_a_conflict(api: httpx.AsyncClient) -> None:
    response = await api.post("/planets", json={"id": 2, "name": "Venus"})
    assert response.status_code == 409
    assert (await api.get("/planets")).json() == FIRST


async def test_after_a_chosen_id_the_next_ids_are_free(api: httpx.AsyncClient) -> None:
    assert (await api.post("/planets", json={"id": 5, "name": "Jupiter"})).json()["id"] == 5
    others = await asyncio.gather(*(api.post("/planets", json={"name": f"Moon {n}"}) for n in range(5)))
    assert sorted(other.json()["id"] for other in others) == [6, 7, 8, 9, 10]


async def test_a_rename_is_seen_by_the_next_read(api: httpx.AsyncClient) -> None:
    response = await api.patch("/planets/3", json={"name": "Ares"})
    assert (response.status_code, response.json()) == (200, {"id": 3, "name": "Ares"})
    assert (await api.get("/planets/3")).json()["name"] == "Ares"
    assert (await api.patch("/planets/4", json={"name": "Ares"})).status_code == 404


async def test_a_deleted_planet_is_gone(api: httpx.AsyncClient) -> None:
    response = await api.delete("/planets/3")
    assert (response.status_code, response.content) == (204, b"")
    assert (await api.delete("/planets/3")).status_code == 404
    assert (await api.get("/planets")).json() == FIRST[:2]


async def test_a_name_may_be_shared_and_be_of_any_script(api: httpx.AsyncClient) -> None:
    for name in ("Mars", "火星", "Ma\"r's \\ {x}", "🪐"):
        created = (await api.post("/planets", json={"name": name})).json()
        assert (await api.get(f"/planets/{created['id']}")).json()["name"] == name


async def test_many_requests_at_once_are_all_answered(api: httpx.AsyncClient) -> None:
    responses = await asyncio.gather(*(api.get(f"/planets/{1 + n % 3}") for n in range(60)))
    assert [response.json()["id"] for response in responses] == [1 + n % 3 for n in range(60)]
