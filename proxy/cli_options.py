"""The settings as command-line options: one per field of ``config.Settings``, so none is forgotten."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Final

import typer

from proxy import config
from proxy.option_types import Address

_RECEIVER: Final = "options"


def with_settings(command: Callable[..., int]) -> Callable[..., int]:
    """Give ``command`` an option for every setting; its parameter ``options`` receives them, None if absent.

    All values stay text here: ``config.load`` reads options and variables alike, with the same sentences.
    """
    own = [
        each
        for each in inspect.signature(command, eval_str=True).parameters.values()
        if each.name != _RECEIVER
    ]
    added = [_parameter(name) for name in config.option_names()]

    @wraps(command)
    def run(**given: Any) -> int:
        options = {parameter.name: given.pop(parameter.name) for parameter in added}
        return command(**given, options=options)

    # typer reads signature and annotations; a wrapped original would win over both.
    del run.__wrapped__
    run.__signature__ = inspect.Signature(own + added)  # type: ignore[attr-defined] # read by inspect.signature
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in own + added}
    return run


def _parameter(name: str) -> inspect.Parameter:
    metavar = config.metavar(name)
    kind: Any = bool if not metavar else list[str] if name == "never_cache" else str
    option = typer.Option(config.flag(name), help=_help(name), metavar=metavar or None, show_default=False)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _help(name: str) -> str:
    field = config.Settings.model_fields[name]
    if isinstance(field.default, (str, int, float, Address)) and not isinstance(field.default, bool):
        return f"{field.description} [{_shown(field.default)}]"
    return str(field.description)


def _shown(default: object) -> str:
    if isinstance(default, int) and default >= 1 << 20:
        return f"{default >> 20}MiB"
    return f"{default:g}" if isinstance(default, float) else str(default)
