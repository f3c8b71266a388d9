"""comparison: Locust is told what was chosen, and a target that is not up is told at once."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from loadtest.comparison import Target, demand_up, locust_command, run_against
from loadtest.options import Options
from loadtest.proxy_stats import Window
from tests.loadtest.users.stand_in import serving
from tools.stage.children import Stop
from tools.stage.errors import PartFailed
from tools.stage.stage import Stage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Stage]:
    """A stage with nothing on it, whose report goes elsewhere."""
    monkeypatch.setattr("loadtest.comparison.REPORT", tmp_path / "report")
    with Stage(0, Stop()) as empty:
        yield empty


def test_the_chosen_share_of_writes_becomes_edits_and_editors() -> None:
    command = " ".join(
        locust_command(Options(users=20, writes=1.0, seed=7), Target("cached", "http://a.example"))
    )
    assert "--users 21 --spawn-rate 21 --seed 7 --edits-per-second 0.102302 --editors 1" in command


def test_without_writes_nobody_edits() -> None:
    command = " ".join(locust_command(Options(users=20, writes=0.0), Target("cached", "http://a.example")))
    assert "--users 20 --spawn-rate 20" in command
    assert "--edits-per-second 0.000000 --editors 0" in command


def test_a_target_that_is_not_up_is_told_in_a_sentence() -> None:
    with pytest.raises(PartFailed, match=r"^the target is not up: GET \S+ was not answered: .*refused"):
        demand_up("http://127.0.0.1:1")


def test_a_target_without_planets_is_told_by_its_status() -> None:
    with serving() as planets, pytest.raises(PartFailed, match=r"was answered by status 404$"):
        demand_up(f"{planets.url}/elsewhere")


@pytest.mark.slow
def test_a_run_gives_what_was_asked_and_answered(stage: Stage) -> None:
    with serving() as planets:
        run = run_against(
            stage, Options(users=4, seconds=3, writes=0.0), Target("cached", planets.url), Stop()
        )
    assert {sample.name for sample in run.samples} <= {"/planets", "/planets/{id}"}
    assert run.began == run.samples[0].at < run.ended
    assert not any(sample.failure for sample in run.samples)
    assert run.counted is None


def test_a_proxy_that_does_not_show_its_figures_ends_it_before_the_first_request(stage: Stage) -> None:
    with serving() as planets:
        target = Target("cached", planets.url, window=Window(f"{planets.url}/planets"))
        with pytest.raises(PartFailed, match=r"/planets is not the /stats of this proxy$"):
            run_against(stage, Options(seconds=3), target, Stop())
    assert planets.asked == ["/planets", "/planets"]
