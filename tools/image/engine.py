"""The small part of a container engine that the probe needs; Docker and buildah stand behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tools.image.memory import Part


@dataclass(frozen=True, slots=True)
class Recipe:
    """One build: stage ``target`` of the Dockerfile becomes the image ``tag``.

    ``secrets`` are files by the id that the Dockerfile gives them, ``folders`` are seen read-only at their
    own place while it is built. ``stages`` names images that stand for stages which are built already; an
    engine with a cache of its own needs none.
    """

    target: str
    tag: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)
    folders: Sequence[Path] = ()
    stages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an image says of itself."""

    user: str
    command: tuple[str, ...]
    labels: Mapping[str, str]
    environment: tuple[str, ...]
    history: str


@dataclass(frozen=True, slots=True)
class Finished:
    """How one command in a container ended; both of its outputs are in ``output``."""

    status: int
    output: str


class Running(Protocol):
    """A container whose command runs; it uses this machine's network."""

    def has_ended(self) -> bool:
        """Is the command over?"""

    def log(self) -> str:
        """Both outputs of the command so far."""

    def memory(self) -> list[Part]:
        """What each process of the container holds."""

    def terminate(self) -> None:
        """Send SIGTERM to the command, as a platform does."""

    def wait(self, seconds: float) -> int:
        """The exit status. Raises ImageFailed when it has not ended after ``seconds``."""

    def close(self) -> None:
        """End it by force if it still runs, and remove it."""


class Engine(Protocol):
    """Builds and runs images."""

    name: str
    shows_folders: bool
    """Can a build see folders of this machine?"""

    def adopt_base(self, reference: str) -> str | None:
        """The name of the image ``reference``, pulled where it is not here; None where it cannot be had."""

    def import_base(self, root: Path) -> str:
        """Make an image of the file system below ``root``; its name."""

    def build(self, recipe: Recipe) -> str:
        """Build one image; its name. Raises ImageFailed with the end of the build's log."""

    def bytes_beyond(self, image: str, base: str) -> int:
        """The unpacked bytes of the layers of ``image`` that ``base`` does not have."""

    def configuration(self, image: str) -> Configuration:
        """What it says of itself."""

    def run(
        self, image: str, command: Sequence[str], environment: Mapping[str, str], *, root: bool = False
    ) -> Finished:
        """Run a command in it to its end, as the image's user or as root."""

    def start(self, image: str, environment: Mapping[str, str]) -> Running:
        """Start the image's own command."""

    def close(self) -> None:
        """Remove all that it made but what the caller asked to keep."""
