"""The endpoints of the window, each a line to the house."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

# FastAPI evaluates the annotations of the endpoints.
from proxy.admin.exposition import CONTENT_TYPE, exposition
from proxy.admin.snapshot import House


class Purge(BaseModel):
    """What to drop: everything, or what read one table."""

    model_config = ConfigDict(extra="forbid")

    table: Annotated[str, Field(min_length=1, max_length=256)] | None = None


class Purged(BaseModel):
    """What a purge did."""

    dropped: int


def routes(house: House) -> APIRouter:
    """Give the endpoints over ``house``."""
    router = APIRouter()

    @router.get("/live")
    async def live() -> dict[str, bool]:
        """The process runs."""
        return {"live": True}

    @router.get("/ready")
    async def ready(response: Response) -> dict[str, bool]:
        """The origin answers; 503 while it does not."""
        response.status_code = 200 if (is_ready := house.ready()) else 503
        return {"ready": is_ready}

    @router.get("/metrics")
    async def metrics() -> Response:
        """Prometheus' text format."""
        await house.look()
        return Response(exposition(house), media_type=CONTENT_TYPE)

    @router.get("/stats", response_model=None)
    async def stats() -> object:
        """Every figure, as JSON."""
        await house.look()
        return house.stats()

    @router.get("/queries", response_model=None)
    async def queries() -> object:
        """Every statement template, the most called first."""
        await house.look(queries=True)
        return house.queries()

    @router.post("/purge")
    async def purge(asked: Purge | None = None) -> Purged:
        """Drop entries; 404 for a table that is not known."""
        try:
            return Purged(dropped=await house.purge(asked.table if asked else None))
        except LookupError:
            raise HTTPException(404, "no such table") from None

    return router
