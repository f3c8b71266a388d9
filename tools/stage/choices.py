"""What the caller may choose by environment variables, and how a choice that cannot be used is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.stage.errors import Misused

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DISTANCE_MS: Final = 5_000.0


def number(environment: Mapping[str, str], name: str, default: float, bounds: tuple[float, float]) -> float:
    """The number in ``name``, whole where ``default`` is an int. Raises Misused, naming the bounds."""
    text = environment.get(name) or str(default)
    low, high = bounds
    try:
        chosen = float(text)
    except ValueError:
        chosen = low - 1
    if not low <= chosen <= high or (isinstance(default, int) and not chosen.is_integer()):
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise Misused(f"{name}={text} cannot be used: {kind} from {low:g} to {high:g} is expected")
    return chosen
