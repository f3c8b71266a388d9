"""Every scalar type and its list: written, read back, and found by its value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

_MOMENT = datetime(2024, 2, 29, 23, 59, 59, 123000, UTC)
_VALUES: list[tuple[str, Any]] = [
    ("text", "Ünïcode 🪐"),
    ("truth", False),
    ("number", -(2**31)),
    ("big", 2**63 - 1),
    ("big", -(2**63)),
    ("fraction", 0.1),
    ("fraction", -1.5e300),
    ("exact", Decimal("12345678901234567890.123456789")),
    ("moment", _MOMENT),
    ("zoned", _MOMENT),
    ("day", datetime(2024, 2, 29, tzinfo=UTC)),
    ("unique", "0190a1b2-0000-4000-8000-000000000001"),
    ("role", "EDITOR"),
]
_LISTS: list[tuple[str, list[Any]]] = [
    ("texts", ["a,b", 'q"q', "", "back\\slash", "NULL", "{}"]),
    ("numbers", [1, -2]),
    ("bigs", [2**62, -1]),
    ("fractions", [0.5, -1e-9]),
    ("truths", [True, False]),
    ("moments", [_MOMENT]),
    ("zones", [_MOMENT]),
    ("roles", ["READER", "EDITOR"]),
    ("exacts", [Decimal("1.50"), Decimal("-2.25")]),
]
_DOCUMENTS: list[Any] = [{"a": [1, None, {"b": "é"}]}, [], "text", 7, 1.5, True, None, {"$type": "BigInt"}]


@pytest.mark.parametrize(("field", "value"), _VALUES)
async def test_a_scalar_comes_back_and_is_found(client: Any, field: str, value: Any) -> None:
    made = await client.scalars.create({field: value})
    assert getattr(made, field) == value
    found = await client.scalars.find_first(where={field: value})
    assert found.id == made.id


@pytest.mark.parametrize("field", ["text", "big", "exact", "moment", "raw", "role"])
async def test_an_absent_value_is_none(client: Any, field: str) -> None:
    made = await client.scalars.create({})
    assert getattr(made, field) is None
    assert await client.scalars.count(where={field: None}) == 1


@pytest.mark.parametrize(("field", "values"), _LISTS)
async def test_a_list_comes_back_and_is_searched(client: Any, field: str, values: list[Any]) -> None:
    made = await client.scalars.create({field: values})
    assert getattr(made, field) == values
    assert await client.scalars.count(where={field: {"has": values[0]}}) == 1
    assert await client.scalars.count(where={field: {"is_empty": True}}) == 0
    changed = await client.scalars.update(data={field: {"push": [values[0]]}}, where={"id": made.id})
    assert getattr(changed, field) == [*values, values[0]]


@pytest.mark.parametrize("value", _DOCUMENTS)
async def test_a_json_value_comes_back_and_is_found(client: Any, rich: Any, value: Any) -> None:
    made = await client.scalars.create({"document": rich.Json(value)})
    assert made.document == value
    assert await client.scalars.count(where={"document": {"equals": rich.Json(value)}}) == 1
    assert await client.scalars.count(where={"document": {"equals": rich.Json(["other"])}}) == 0


async def test_json_is_searched_by_path_and_content(client: Any, rich: Any) -> None:
    await client.scalars.create({"document": rich.Json({"name": "Mars", "moons": ["Phobos", "Deimos"]})})

    async def count(**condition: Any) -> int:
        found = await client.scalars.count(where={"document": condition})
        assert isinstance(found, int)
        return found

    assert await count(path=["name"], equals=rich.Json("Mars")) == 1
    assert await count(path=["name"], string_contains="ar") == 1
    assert await count(path=["moons"], array_contains=rich.Json(["Deimos"])) == 1
    assert await count(path=["moons"], array_contains=rich.Json(["Io"])) == 0


async def test_json_in_a_nested_write_and_a_relation_filter_is_json(client: Any, rich: Any) -> None:
    profile = {"create": {"bio": "b", "extra": rich.Json({"k": "v"})}}
    user = await client.user.create({"email": "a@example.org", "profile": profile}, include={"profile": True})
    assert user.profile.extra == {"k": "v"}
    where = {"profile": {"is": {"extra": {"equals": rich.Json({"k": "v"})}}}}
    assert await client.user.count(where=where) == 1


async def test_lists_of_json_and_bytes_come_back(client: Any, rich: Any) -> None:
    blob = rich.Base64.encode(bytes(range(256)))
    made = await client.scalars.create({"documents": [rich.Json({"a": 1}), rich.Json("x")], "blobs": [blob]})
    assert made.documents == [{"a": 1}, "x"]
    assert made.blobs == [blob]


async def test_bytes_come_back_and_are_found(client: Any, rich: Any) -> None:
    blob = rich.Base64.encode(bytes(range(256)))
    made = await client.scalars.create({"raw": blob})
    assert made.raw.decode() == bytes(range(256))
    assert (await client.scalars.find_first(where={"raw": blob})).id == made.id


async def test_times_are_utc_whatever_the_database_prefers(
    client: Any, rich: Any, rich_database: Any
) -> None:
    rich_database.execute(
        "ALTER DATABASE rich SET timezone = 'Asia/Kolkata'; ALTER DATABASE rich SET datestyle = 'German'"
    )
    other = rich.Prisma(datasource={"url": rich_database.url()})
    await other.connect()
    try:
        made = await other.scalars.create({"zoned": _MOMENT, "moment": _MOMENT})
        assert (made.zoned, made.moment) == (_MOMENT, _MOMENT)
    finally:
        await other.disconnect()
        rich_database.execute("ALTER DATABASE rich RESET ALL")
