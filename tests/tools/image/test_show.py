"""The summary shows each figure, and the verdict each fault."""

from __future__ import annotations

from rich.console import Console

from tools.image.memory import Part
from tools.image.probe import Findings, telling_words
from tools.image.show import summary, verdict


def _seen(**changed: object) -> Findings:
    seen = Findings(
        beyond_bytes=255_000_000,
        user="10001",
        start_seconds=3.4,
        parts=[Part("app", 53_000_000, 66_000_000), Part("proxy", 58_000_000, 71_000_000)],
        hits={"app": 1, "cache": 0},
        under_load={"answered": 180, "failed": 3},
        end_status=0,
        end_seconds=1.4,
    )
    for name, value in changed.items():
        setattr(seen, name, value)
    return seen


def test_the_summary_shows_parts_by_size_and_their_sum() -> None:
    console = Console(width=100)
    with console.capture() as shown:
        console.print(summary(_seen()))
    text = shown.get()
    assert text.index("idle memory: proxy") < text.index("idle memory: app")
    for figure in ("255 MB", "111 MB", "3.4 s", "3 failed of 183", "status 0 in 1.4 s", "no hit"):
        assert figure in text


def test_the_verdict_names_every_fault() -> None:
    assert verdict(_seen()) == "The image is as it must be."
    assert verdict(_seen(faults=["a", "b"])) == "The image is not as it must be:\n  - a\n  - b"


def test_a_slow_machine_is_told_and_is_no_fault() -> None:
    assert "longer than 6 s" in verdict(_seen(start_seconds=7.1))


def test_values_tell_of_their_owner_and_names_of_options_do_not() -> None:
    index = "https://user:key@one.example/simple"
    text = f"[global]\nfind-links = {index}\ntimeout = 180\ncert = /run/secrets/authority\n"
    assert telling_words(text) == [index]
