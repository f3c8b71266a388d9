"""``make image``: build the three images, probe them as they run, print what was seen.

BASE_IMAGE chooses another base, ENGINE=docker or ENGINE=buildah the engine. With Docker the images stay, as
orrery:app, orrery:api and orrery:cache; with buildah, which stands in where no engine answers, nothing stays.
Exit status: 0 all is as it must be, 1 something is not, or failed, 2 it could not begin.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from tools.embedded import Cluster, EmbeddedError
from tools.image import show
from tools.image.base import debian, default_base
from tools.image.buildah import Buildah
from tools.image.caller import Caller, read_caller
from tools.image.docker import Docker
from tools.image.engine import Recipe
from tools.image.errors import ImageFailed, Misused
from tools.image.probe import Findings, Probe
from tools.programs import ProgramsMissing
from tools.stage.children import ROOT
from tools.stage.steps import step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.image.engine import Engine

TARGETS: Final = ("app", "api", "cache")
# Of the stages before them, those that are built once for all three.
_SHARED: Final = ("build", "runtime")
# Docker and buildah know these by themselves, and keep them out of the image.
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_INTERRUPTED: Final = 130


def main() -> int:
    """Build and probe; the exit status."""
    # as Ctrl-C does: everything on the way is undone
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with closing(choose_engine(os.environ)) as engine:
            seen = _build_and_probe(engine, os.environ)
    except (Misused, ProgramsMissing) as error:
        return _told(error, 2)
    except (ImageFailed, EmbeddedError) as error:
        return _told(error, 1)
    except KeyboardInterrupt:
        print("\nstopped: nothing is left behind", flush=True)
        return _INTERRUPTED
    Console().print(show.summary(seen))
    print(show.verdict(seen))
    return 1 if seen.faults else 0


def choose_engine(environment: Mapping[str, str]) -> Engine:
    """The one that ENGINE names; else Docker where it answers, else buildah. Raises Misused."""
    wanted = environment.get("ENGINE") or "any"
    if wanted not in {"any", "docker", "buildah"}:
        raise Misused(f"ENGINE={wanted} cannot be used: docker or buildah is expected")
    engine = Docker.answering() if wanted != "buildah" else None
    if engine is None and wanted == "docker":
        raise Misused("no Docker engine answers: start it, or choose ENGINE=buildah")
    return engine or Buildah()


def _build_and_probe(engine: Engine, environment: Mapping[str, str]) -> Findings:
    caller = read_caller(environment, with_folders=engine.shows_folders)
    base = _base(engine, environment)
    images = _build(engine, base, caller, environment)
    with ExitStack() as running:
        with step("starting a PostgreSQL for it"):
            cluster = running.enter_context(Cluster())
        return _probe(Probe(engine, images, base, cluster), caller)


def _base(engine: Engine, environment: Mapping[str, str]) -> str:
    reference = environment.get("BASE_IMAGE") or default_base((ROOT / "Dockerfile").read_text())
    with step(f"fetching {reference} with {engine.name}"):
        found = engine.adopt_base(reference)
    if found is not None:
        return found
    print("it cannot be had here: a Debian is made to stand in", flush=True)
    with step("making a minimal Debian with Python"), debian() as root:
        return engine.import_base(root)


def _build(engine: Engine, base: str, caller: Caller, environment: Mapping[str, str]) -> dict[str, str]:
    """The images by target. What the caller's configuration holds enters the first stage alone."""
    arguments = {"BASE_IMAGE": base} | {name: environment[name] for name in _PROXIES if environment.get(name)}
    stages: dict[str, str] = {}
    images: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="orrery-secrets-") as folder:
        secrets = caller.secrets(Path(folder))
        for target in (*_SHARED, *TARGETS):
            first = target == _SHARED[0] or engine.name == "docker"
            recipe = Recipe(
                target,
                f"orrery:{target}",
                arguments,
                secrets if first else {},
                caller.folders if first else (),
                stages,
            )
            with step(f"building {'stage' if target in _SHARED else 'image'} {target}"):
                built = engine.build(recipe)
            (stages if target in _SHARED else images)[target] = built
    return images


def _probe(probe: Probe, caller: Caller) -> Findings:
    for title, ask in (
        ("looking at what is in it", probe.contents),
        ("looking for what must not be in it", lambda: probe.secrets([caller.pip, caller.npm])),
        ("running init in it, twice", probe.initialise),
        ("starting it, measuring it, ending it under load", probe.bundled),
        ("reading twice: app, and api with cache", probe.hits),
        ("trying what cannot work", probe.bad_input),
        ("starting it without its database", probe.database_away),
    ):
        with step(title):
            ask()
    return probe.seen


def _told(error: Exception, status: int) -> int:
    print(f"make image: {error}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
