"""A Docker engine: containers by its SDK, builds by its command line: the SDK's builds know no secrets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import docker
from docker.errors import DockerException, ImageNotFound

from tools.image import memory
from tools.image.engine import Configuration, Finished, Recipe
from tools.image.errors import ImageFailed, Misused
from tools.stage.children import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN_LINES: Final = 25


@final
class Docker:
    """The engine that DOCKER_HOST or the usual socket names. The images stay: they are what was asked for."""

    name = "docker"
    shows_folders = False

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def answering(cls) -> Docker | None:
        """One, if an engine answers. Raises Misused where it does and the command line is missing."""
        try:
            client = docker.from_env()
            client.ping()
        except DockerException:
            return None
        if shutil.which("docker") is None:
            raise Misused("a Docker engine answers, but its command docker is not on PATH: install it")
        return cls(client)

    def adopt_base(self, reference: str) -> str | None:
        """From the engine, else from its registry."""
        try:
            self._client.images.get(reference)
        except ImageNotFound:
            try:
                self._client.images.pull(reference)
            except DockerException:
                return None
        return reference

    def import_base(self, root: Path) -> str:
        """One layer of everything below ``root``."""
        packed = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
        self._command_line("import", "--change", 'CMD ["python3"]', "-", "orrery-base", stdin=packed.stdout)
        if packed.wait():
            raise ImageFailed("the base could not be packed by tar")
        return "orrery-base"

    def build(self, recipe: Recipe) -> str:
        """BuildKit has a cache of its own for stages; it cannot be shown this machine's folders."""
        arguments = [word for pair in recipe.arguments.items() for word in ("--build-arg", "=".join(pair))]
        for name, path in recipe.secrets.items():
            arguments += ["--secret", f"id={name},src={path}"]
        # the caller's network: a proxy or a registry may listen on this machine alone
        arguments += ["--network", "host"]
        self._command_line("build", *arguments, "--target", recipe.target, "--tag", recipe.tag, str(ROOT))
        return recipe.tag

    def bytes_beyond(self, image: str, base: str) -> int:
        """As the engine counts both."""
        sizes = [int(self._client.images.get(name).attrs["Size"]) for name in (image, base)]
        return sizes[0] - sizes[1]

    def configuration(self, image: str) -> Configuration:
        """Its OCI configuration."""
        found = self._client.images.get(image)
        config = found.attrs["Config"]
        return Configuration(
            user=config.get("User") or "",
            command=tuple(config.get("Cmd") or ()),
            labels=config.get("Labels") or {},
            environment=tuple(config.get("Env") or ()),
            history=json.dumps(found.history()),
        )

    def run(
        self, image: str, command: Sequence[str], environment: Mapping[str, str], *, root: bool = False
    ) -> Finished:
        """A container of its own, removed afterwards."""
        running = self._start(image, environment, list(command), "0" if root else None)
        try:
            return Finished(running.wait(None), running.log())
        finally:
            running.close()

    def start(self, image: str, environment: Mapping[str, str]) -> Contained:
        """As the image says."""
        return self._start(image, environment, None, None)

    def close(self) -> None:
        """Nothing: each container has been removed by who started it."""

    def _start(
        self, image: str, environment: Mapping[str, str], command: list[str] | None, user: str | None
    ) -> Contained:
        try:
            return Contained(
                self._client.containers.run(
                    image, command, environment=dict(environment), user=user, network_mode="host", detach=True
                )
            )
        except DockerException as error:
            raise ImageFailed(f"{image} could not be started: {error}") from error

    def _command_line(self, *arguments: str, stdin: Any = subprocess.DEVNULL) -> None:
        done = subprocess.run(
            ["docker", *arguments],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
        )  # fmt: skip
        if done.returncode:
            end = "\n".join(done.stdout.splitlines()[-_SHOWN_LINES:])
            raise ImageFailed(f"docker {arguments[0]} failed (exit status {done.returncode}):\n{end}")


@final
class Contained:
    """One container of the engine."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def has_ended(self) -> bool:
        """Is it neither running nor about to?"""
        self._container.reload()
        return self._container.status in {"exited", "dead"}

    def log(self) -> str:
        """Both outputs."""
        return str(self._container.logs().decode(errors="replace"))

    def memory(self) -> list[memory.Part]:
        """Seen from inside, by the image's own user: root there may not look into another's memory."""
        script = Path(memory.__file__).read_text()
        status, output = self._container.exec_run(["python3", "-c", script])
        if status:
            raise ImageFailed(f"the memory of the container could not be read: {output.decode()}")
        return [memory.Part(*part) for part in json.loads(output)]

    def terminate(self) -> None:
        """To its first process."""
        self._container.kill(signal="SIGTERM")

    def wait(self, seconds: float | None) -> int:
        """The status of its first process."""
        try:
            return int(self._container.wait(timeout=seconds)["StatusCode"])
        except OSError:  # what the SDK's HTTP client raises when the time is over
            raise ImageFailed(f"the container had not ended after {seconds} seconds:\n{self.log()}") from None

    def close(self) -> None:
        """Remove it, killed if need be."""
        with suppress(DockerException):
            self._container.remove(force=True)
