"""Each request has an id and a line in the log; an unexpected error is an answer."""

from __future__ import annotations

import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.requests import RequestIds, request_id


async def _fail(_: Request) -> Response:
    raise ZeroDivisionError("a detail for the log only")


async def _tell(_: Request) -> Response:
    return PlainTextResponse(request_id())


def _client() -> httpx.AsyncClient:
    ids = Middleware(RequestIds, answer_failure=lambda path: PlainTextResponse(path, 500))
    app = Starlette(routes=[Route("/fail", _fail), Route("/tell", _tell)], middleware=[ids])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app")


async def test_an_acceptable_id_is_kept_and_any_other_replaced() -> None:
    async with _client() as client:
        kept = await client.get("/tell", headers={"X-Request-ID": "trace.1:a_b-c"})
        assert kept.headers["X-Request-ID"] == kept.text == "trace.1:a_b-c"
        for offered in ("", "two words", "x" * 129, "a;b"):
            replaced = await client.get("/tell", headers={"X-Request-ID": offered})
            assert replaced.headers["X-Request-ID"] == replaced.text
            assert replaced.text not in {offered, "-"}


async def test_a_request_leaves_one_line_with_its_id(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "app.requests")
    async with _client() as client:
        await client.get("/tell%0Aforged", headers={"X-Request-ID": "one"})
    [line] = [record.getMessage() for record in caplog.records if record.name == "app.requests"]
    assert line.startswith("request_id=one method=GET path=/tell%0Aforged status=404 ms=")


async def test_an_unexpected_error_is_answered_and_logged_under_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with _client() as client:
        response = await client.get("/fail", headers={"X-Request-ID": "two"})
    assert (response.status_code, response.text, response.headers["X-Request-ID"]) == (500, "/fail", "two")
    assert "ZeroDivisionError" in caplog.text
    assert "request_id=two" in caplog.text


def test_outside_of_a_request_there_is_no_id() -> None:
    assert request_id() == "-"
