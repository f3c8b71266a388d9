"""Probes: is the process alive, and can it serve?"""

from __future__ import annotations

from fastapi import APIRouter, Request

from app.models import Status
from app.problems import documented

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> Status:
    """The process answers. The database is not asked: a platform restarts nobody for its sake."""
    return Status()


@router.get("/ready", responses=documented(503))
async def ready(request: Request) -> Status:
    """The database answers."""
    await request.app.state.planets.ping()
    return Status()
