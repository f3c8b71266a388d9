"""Errors are RFC 9457 problems, and the OpenAPI document says so."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.models import ProblemDetails

pytestmark = [pytest.mark.prisma, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/planets/4", 404, "Not Found"),
        ("GET", "/nowhere", 404, "Not Found"),
        ("PUT", "/planets/1", 405, "Method Not Allowed"),
    ],
)
async def test_an_error_is_a_problem_with_all_its_members(
    api: httpx.AsyncClient, method: str, path: str, status: int, title: str
) -> None:
    response = await api.request(method, path, headers={"X-Request-ID": "asked-1"})
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = ProblemDetails.model_validate(response.json())
    assert (response.status_code, problem.status, problem.title) == (status, status, title)
    assert (problem.instance, problem.request_id) == (path, "asked-1")


async def test_a_refused_request_names_each_fault_without_repeating_it(api: httpx.AsyncClient) -> None:
    response = await api.post("/planets", json={"name": "", "secret": "hunter2"})
    faults = {fault["pointer"]: fault["detail"] for fault in response.json()["errors"]}
    assert faults.keys() == {"/body/name", "/body/secret"}
    assert "hunter2" not in response.text


async def test_a_method_that_is_not_allowed_says_which_are(api: httpx.AsyncClient) -> None:
    assert "GET" in (await api.put("/planets/1")).headers["Allow"]


async def test_the_document_describes_every_error_as_a_problem(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert {"type", "title", "status", "detail", "instance"} <= schemas["ProblemDetails"]["properties"].keys()
    assert "HTTPValidationError" not in schemas
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _check_errors(path, operation["responses"])


def _check_errors(path: str, responses: dict[str, Any]) -> None:
    errors = {status: response for status, response in responses.items() if status >= "400"}
    assert path == "/health" or "503" in errors
    for response in errors.values():
        reference = response["content"]["application/problem+json"]["schema"]
        assert reference == {"$ref": "#/components/schemas/ProblemDetails"}
