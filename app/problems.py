"""Every error leaves as an RFC 9457 problem; this is where exceptions become problems."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.models import Fault, ProblemDetails
from app.queries import DatabaseAway, PlanetExists, PlanetMissing
from app.requests import request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

MEDIA_TYPE: Final = "application/problem+json"
# A database that restarts is back within seconds.
RETRY_SECONDS: Final = 5


def problem(
    path: str,
    status: int,
    detail: str,
    *,
    errors: list[Fault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response for one error of the request for ``path``."""
    details = ProblemDetails(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=path,
        request_id=request_id(),
        errors=errors,
    )
    return JSONResponse(details.model_dump(exclude_none=True), status, headers, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of these errors."""
    return {status: _documentation(status) for status in statuses}


def _documentation(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    example = ProblemDetails(
        title=phrase, status=status, detail="...", instance="/planets/7", request_id="f3a1c0de"
    ).model_dump(exclude_none=True)
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {"description": phrase, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}


def install(app: FastAPI) -> None:
    """Answer each kind of error of ``app`` with its problem."""
    app.exception_handler(PlanetMissing)(_missing)
    app.exception_handler(PlanetExists)(_exists)
    app.exception_handler(DatabaseAway)(_away)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)


async def _missing(request: Request, error: PlanetMissing) -> JSONResponse:
    return problem(request.url.path, 404, str(error))


async def _exists(request: Request, error: PlanetExists) -> JSONResponse:
    return problem(request.url.path, 409, str(error))


async def _away(request: Request, error: DatabaseAway) -> JSONResponse:
    return problem(request.url.path, 503, str(error), headers={"Retry-After": str(RETRY_SECONDS)})


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    # The input itself is not repeated: it may be long, secret, or not even text.
    faults = [
        Fault(pointer="/" + "/".join(str(step) for step in fault["loc"]), detail=fault["msg"])
        for fault in error.errors()
    ]
    return problem(
        request.url.path, 422, "The request does not have the form that is asked for.", errors=faults
    )


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    return problem(request.url.path, error.status_code, error.detail, headers=error.headers)
