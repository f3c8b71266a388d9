"""options: what can be used is taken, anything else is refused by name."""

from __future__ import annotations

import pytest

from tools.demo.options import Options, read_options
from tools.stage.errors import Misused


def test_nothing_said_means_forty_milliseconds_and_port_8000() -> None:
    assert read_options({"PORT": ""}) == Options(port=8000, distance_ms=40, requests=200)


def test_everything_can_be_chosen() -> None:
    chosen = read_options({"PORT": "65535", "DISTANCE_MS": "0.5", "REQUESTS": "20"})
    assert chosen == Options(65535, 0.5, 20)


@pytest.mark.parametrize(
    ("name", "text"),
    [("PORT", "0"), ("PORT", "65536"), ("PORT", "80.5"), ("PORT", "http"), ("DISTANCE_MS", "-1"),
     ("DISTANCE_MS", "nan"), ("DISTANCE_MS", "inf"), ("REQUESTS", "0"), ("REQUESTS", "1e9")],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(Misused, match=f"^{name}={text} cannot be used"):
        read_options({name: text})
