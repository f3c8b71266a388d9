"""choices: a number is taken within its bounds, and refused with them."""

from __future__ import annotations

import pytest

from tools.stage.choices import number
from tools.stage.errors import Misused


@pytest.mark.parametrize("said", [{}, {"USERS": ""}])
def test_nothing_said_means_the_default(said: dict[str, str]) -> None:
    assert number(said, "USERS", 20, (1, 100)) == 20


def test_what_is_said_is_taken_up_to_the_bounds() -> None:
    assert [number({"SHARE": text}, "SHARE", 1.0, (0, 2)) for text in ("0", "0.5", "2")] == [0, 0.5, 2]


@pytest.mark.parametrize(
    ("default", "text", "kind"),
    [
        (1, "1.5", "a whole number"),
        (1, "11", "a whole number"),
        (1.0, "-1", "a number"),
        (1.0, "many", "a number"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_could(default: float, text: str, kind: str) -> None:
    with pytest.raises(Misused, match=f"^SHARE={text} cannot be used: {kind} from 0 to 10 is expected$"):
        number({"SHARE": text}, "SHARE", default, (0, 10))
