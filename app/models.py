"""What goes in and out of the API, with its bounds and examples."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

# The column is PostgreSQL's int4.
MAX_ID: Final = 2**31 - 1
MAX_NAME_LENGTH: Final = 200
MAX_PAGE: Final = 1000
DEFAULT_PAGE: Final = 100


def _printable(name: str) -> str:
    # PostgreSQL stores no NUL, and a line separator would not survive Prisma's way of writing queries.
    if not name.isprintable():
        raise ValueError("only printable characters are allowed")
    return name


PlanetId = Annotated[int, Field(ge=1, le=MAX_ID, examples=[3])]
PlanetName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(_printable),
    Field(examples=["Mars"]),
]


class Planet(BaseModel):
    """A planet as it is stored."""

    model_config = ConfigDict(from_attributes=True)

    id: PlanetId
    # What another program wrote is shown as it is: the bounds hold for what comes in.
    name: Annotated[str, Field(examples=["Mars"])]


class NewPlanet(BaseModel):
    """A planet to be made; without ``id`` the database gives it the next one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Saturn"}]})

    name: PlanetName
    id: PlanetId | None = None


class PlanetChange(BaseModel):
    """What a planet is to become."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Ares"}]})

    name: PlanetName


class Fault(BaseModel):
    """One thing wrong with a request: where (a JSON pointer into body, path, query or header) and what."""

    pointer: str
    detail: str


class ProblemDetails(BaseModel):
    """An error as RFC 9457 has it ("Problem Details for HTTP APIs")."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[Fault] | None = None


class Status(BaseModel):
    """The answer to a probe."""

    status: str = "ok"
