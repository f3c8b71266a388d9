"""What the environment says: read once, refused with one sentence."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.database_url import fault_of


class Settings(BaseSettings):
    """``DATABASE_URL``: any address that Prisma takes. ``PORT``: 1 to 65535."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: SecretStr
    port: Annotated[int, Field(ge=1, le=65535)] = 8000

    @field_validator("database_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr) -> SecretStr:
        fault = fault_of(url.get_secret_value())
        if fault:
            raise ValueError(fault)
        return url


def read_settings() -> Settings:
    """The settings of this process. Raises SystemExit, naming the variable and never its value."""
    try:
        return Settings()  # type: ignore[call-arg]  # the environment fills the fields
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        name = str(fault["loc"][0]).upper()
        unset = fault_of(None) if fault["type"] == "missing" else None
        reason = unset or fault["msg"].removeprefix("Value error, ").replace("Input", "it", 1)
        raise SystemExit(f"app: {name} cannot be used: {reason}") from None
