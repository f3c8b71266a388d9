"""The routes of /planets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from app.models import DEFAULT_PAGE, MAX_ID, MAX_PAGE, NewPlanet, Planet, PlanetChange
from app.problems import documented
from app.queries import Planets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prisma.models import Planet as StoredPlanet

router = APIRouter(prefix="/planets", tags=["planets"], responses=documented(422, 503))


# A coroutine, though nothing waits in it: FastAPI calls a plain function on another thread.
async def _planets(request: Request) -> Planets:
    planets: Planets = request.app.state.planets
    return planets


Table = Annotated[Planets, Depends(_planets)]
Id = Annotated[int, Path(ge=1, le=MAX_ID, examples=[3])]


@router.get("", response_model=list[Planet])
async def list_planets(
    planets: Table,
    after: Annotated[int, Query(ge=0, le=MAX_ID, description="only planets with a larger id")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Sequence[StoredPlanet]:
    """The planets by id; the id of the last one is `after` for the next page."""
    return await planets.page(after, limit)


@router.get("/{planet_id}", response_model=Planet, responses=documented(404))
async def read_planet(planets: Table, planet_id: Id) -> StoredPlanet:
    """One planet."""
    return await planets.one(planet_id)


@router.post("", response_model=Planet, status_code=status.HTTP_201_CREATED, responses=documented(409))
async def create_planet(planets: Table, new: NewPlanet, response: Response) -> StoredPlanet:
    """A new planet. Without an id it gets the next one; an id that is taken is a conflict."""
    created = await planets.create(new.name, new.id)
    response.headers["Location"] = f"{router.prefix}/{created.id}"
    return created


@router.patch("/{planet_id}", response_model=Planet, responses=documented(404))
async def rename_planet(planets: Table, planet_id: Id, change: PlanetChange) -> StoredPlanet:
    """Give a planet another name."""
    return await planets.rename(planet_id, change.name)


@router.delete("/{planet_id}", status_code=status.HTTP_204_NO_CONTENT, responses=documented(404))
async def delete_planet(planets: Table, planet_id: Id) -> None:
    """Remove a planet."""
    await planets.delete(planet_id)
