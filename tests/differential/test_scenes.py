"""A scene in which nothing can be seen to change would prove nothing."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from tests.differential.phrases import SCENES
from tests.differential.scenes import Scene
from tests.differential.speaker import Speaker

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.differential.messages import Part
    from tests.differential.twins import Nursery

pytestmark = pytest.mark.postgres

TRIES: Final = 6  # for a scene whose numbers may be such that nothing changes
SHOWING: Final = [scene for name, section in SCENES.items() if "not show" not in name for scene in section]


@contextmanager
def clients(nursery: Nursery) -> Generator[list[Speaker]]:
    """Two direct clients of a fresh database."""
    with nursery.databases() as (url, _), Speaker(url) as first, Speaker(url) as second:
        yield [first, second]


@pytest.fixture(scope="module")
def used(nursery: Nursery) -> Generator[list[Speaker]]:
    """Two direct clients of one database for all scenes, in which earlier ones have left their traces."""
    with clients(nursery) as both:
        yield both


def shows_a_change(clients: list[Speaker], scene: str, seed: int) -> bool:
    """Did any client get two answers to the query of the scene, asked in the very same bytes?"""
    answers: dict[tuple[int, tuple[Part, ...]], tuple[bytes, ...]] = {}
    changed = False
    for step in Scene(Random(seed), scene, 0, 1).steps():
        told = tuple(frame.raw for frame in clients[step.client].say(step) if frame.kind in b"TDE")
        if step.read:
            changed |= answers.setdefault((step.client, step.parts), told) != told
    return changed


@pytest.mark.parametrize("scene", SHOWING)
def test_a_scene_shows_a_change(nursery: Nursery, used: list[Speaker], scene: str) -> None:
    if any(shows_a_change(used, scene, seed) for seed in range(TRIES)):
        return
    with clients(nursery) as fresh:
        assert any(shows_a_change(fresh, scene, seed) for seed in range(TRIES))


@pytest.mark.parametrize("scene", SCENES["what does not show"])
def test_what_does_not_show_changes_nothing(used: list[Speaker], scene: str) -> None:
    assert not any(shows_a_change(used, scene, seed) for seed in range(2))
