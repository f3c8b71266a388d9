"""The FastAPI application: the endpoints behind the guard, and nothing else (no documentation pages)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from proxy.admin.routes import routes

if TYPE_CHECKING:
    from proxy.admin.auth import Guard
    from proxy.admin.snapshot import House


def create_app(house: House, guard: Guard) -> FastAPI:
    """Build the application over ``house``; every path, known or not, passes ``guard`` first."""
    app = FastAPI(title="Orrery", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(routes(house))

    @app.middleware("http")
    async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        refusal = guard.refusal(request.url.path, request.headers)
        if refusal is None:
            return await answer(request)
        headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
        return JSONResponse({"detail": refusal.reason}, refusal.status, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, fault: RequestValidationError) -> JSONResponse:
        # Without the input itself: what is no JSON (a lone surrogate, NaN) cannot be said in JSON either.
        told = [{"loc": error["loc"], "msg": error["msg"]} for error in fault.errors()]
        return JSONResponse({"detail": told}, 422)

    return app
