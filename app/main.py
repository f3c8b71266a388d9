"""The application: put together, started, stopped."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

from fastapi_offline import FastAPIOffline

from app import health, page, planets, problems
from app.models import ProblemDetails
from app.queries import Planets
from app.requests import RequestIds
from app.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi import FastAPI
    from starlette.responses import Response

# How long a start waits for the database before it serves without it (503 until the database is there).
START_SECONDS: Final = 3.0


def create_app(settings: Settings) -> FastAPI:
    """The application for one database; it connects when it is started."""
    # FastAPI's own /docs and /redoc are empty where their scripts' public host cannot be reached.
    app = FastAPIOffline(
        title="Planets",
        version="1.0.0",
        description="Planets in PostgreSQL, through Prisma. Errors are RFC 9457 problems.",
        lifespan=_lifespan,
    )
    app.state.planets = Planets(settings.database_url.get_secret_value())
    for router in (page.router, planets.router, health.router):
        app.include_router(router)
    problems.install(app)
    app.add_middleware(RequestIds, answer_failure=_unexpected)
    _describe_problems(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    table: Planets = app.state.planets
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(table.keep_connected(), name="keep connected")
        await table.wait_connected(START_SECONDS)
        yield
        keeper.cancel()


def _unexpected(path: str) -> Response:
    return problems.problem(path, 500, "Something went wrong here; the log knows more under this request id.")


def _describe_problems(app: FastAPI) -> None:
    """Name the schema of problems in the OpenAPI document; the routes refer to it."""
    document = app.openapi()
    schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"].update(schema.pop("$defs"), ProblemDetails=schema)


def _log_to_stderr() -> None:
    """One line for each event of ours; uvicorn's own line for each request would say less twice."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("app")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").disabled = True


@cache
def served() -> FastAPI:
    """The application of this process, for its environment. Raises SystemExit as ``read_settings`` does."""
    _log_to_stderr()
    return create_app(read_settings())


def __getattr__(name: str) -> FastAPI:
    """``uvicorn app.main:app``: made on demand, since importing this module must not need a database."""
    if name == "app":
        return served()
    raise AttributeError(name)
