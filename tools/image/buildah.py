"""buildah as the engine: no daemon, no kernel features; root is enough, also inside of a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import psutil

from tools.image import memory
from tools.image.engine import Configuration, Finished, Recipe
from tools.image.errors import ImageFailed, Misused
from tools.stage.children import ROOT, Sweeper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FREE_BYTES: Final = 8 * 10**9
_SHOWN_LINES: Final = 25
# Its own helpers between us and the command.
_HELPER: Final = "buildah"
_OWN_WORDS: Final = re.compile(
    r"(subprocess exited with status|Error: (exit status|while running runtime)).*"
)
_STOP_SECONDS: Final = 10.0
# What a container of ours that was killed has left mounted; vfs mounts nothing.
_UNMOUNT: Final = 'for merged in "$0"/storage/overlay/*/merged; do umount -l "$merged" 2>/dev/null; done'


@final
class Buildah:
    """Keeps images and containers in a temporary folder of its own, which is gone when it is closed."""

    name = "buildah"
    shows_folders = True

    def __init__(self) -> None:
        if os.geteuid() != 0 or shutil.which("buildah") is None:
            raise Misused(
                "no Docker engine answers, and buildah needs root and the Debian packages buildah and"
                " debootstrap: start Docker, or install them"
            )
        self.folder = Path(tempfile.mkdtemp(prefix="orrery-image-"))
        if shutil.disk_usage(self.folder).free < _FREE_BYTES:
            self.folder.rmdir()
            raise Misused(
                f"{_FREE_BYTES // 10**9} GB of free disk are needed in {self.folder.parent} (or TMPDIR)"
            )
        self._sweeper = Sweeper(self.folder, before=_UNMOUNT)
        self._containers: dict[str, str] = {}
        self._command = [
            *("buildah", "--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run")),
            *("--storage-driver", os.environ.get("STORAGE_DRIVER") or _driver(self.folder)),
        ]
        self._environment = {**os.environ, "BUILDAH_ISOLATION": os.environ.get("BUILDAH_ISOLATION", "chroot")}

    def adopt_base(self, reference: str) -> str | None:
        """Pull it by its full name: Debian's buildah knows no short ones."""
        pulled = self._ask("pull", "--quiet", f"docker://{reference}")
        return pulled.stdout.strip().splitlines()[-1] if pulled.returncode == 0 else None

    def import_base(self, root: Path) -> str:
        """One layer of everything below ``root``."""
        container = self._told("from", "scratch").strip()
        self._told("add", "--quiet", container, str(root), "/")
        self._told("config", "--cmd", '["python3"]', container)
        self._told("commit", "--quiet", "--rm", container, "localhost/base")
        return "localhost/base"

    def build(self, recipe: Recipe) -> str:
        """One ``buildah bud``; a stage that is given as an image is not built again."""
        stages = [f"{name}=container-image://{image}" for name, image in recipe.stages.items()]
        self._told(
            "bud",
            "--pull-never",
            *_each("--build-arg", [f"{name}={value}" for name, value in recipe.arguments.items()]),
            *_each("--secret", [f"id={name},src={path}" for name, path in recipe.secrets.items()]),
            *_each("--volume", [f"{folder}:{folder}:ro" for folder in recipe.folders]),
            *_each("--build-context", stages),
            *("--target", recipe.target, "--tag", f"localhost/{recipe.tag}", str(ROOT)),
        )
        return f"localhost/{recipe.tag}"

    def bytes_beyond(self, image: str, base: str) -> int:
        """Layers are told apart by what they hold; in the storage they lie unpacked."""
        known = self._inspected(base)["OCIv1"]["rootfs"]["diff_ids"]
        seen = self._inspected(image)
        layers = json.loads(seen["Manifest"])["layers"]
        return sum(
            layer["size"]
            for layer, digest in zip(layers, seen["OCIv1"]["rootfs"]["diff_ids"], strict=True)
            if digest not in known
        )

    def configuration(self, image: str) -> Configuration:
        """Its OCI configuration."""
        seen = self._inspected(image)["OCIv1"]
        config = seen["config"]
        return Configuration(
            user=config.get("User", ""),
            command=tuple(config.get("Cmd") or ()),
            labels=config.get("Labels") or {},
            environment=tuple(config.get("Env") or ()),
            history=json.dumps(seen.get("history", [])),
        )

    def run(
        self, image: str, command: Sequence[str], environment: Mapping[str, str], *, root: bool = False
    ) -> Finished:
        """In the one container that is kept of each image."""
        user = ("--user", "0") if root else ()
        done = subprocess.run(
            [*self._run_command(image, environment, user), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, env=self._environment,
        )  # fmt: skip
        return Finished(done.returncode, without_own_words(done.stdout))

    def start(self, image: str, environment: Mapping[str, str]) -> Contained:
        """``buildah run`` takes a command: the image's own is its configuration's."""
        command = self.configuration(image).command
        return Contained([*self._run_command(image, environment), *command], self._environment, self.folder)

    def close(self) -> None:
        """Everything lies in one folder."""
        self._sweeper.close()

    def _run_command(
        self, image: str, environment: Mapping[str, str], options: Sequence[str] = ()
    ) -> list[str]:
        if image not in self._containers:
            self._containers[image] = self._told("from", "--pull-never", image).strip()
        variables = _each("--env", [f"{name}={value}" for name, value in environment.items()])
        return [*self._command, "run", *variables, *options, self._containers[image], "--"]

    def _inspected(self, image: str) -> Any:
        return json.loads(self._told("inspect", "--type", "image", image))

    def _ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, check=False, env=self._environment
        )

    def _told(self, *arguments: str) -> str:
        asked = self._ask(*arguments)
        if asked.returncode:
            lines = f"{asked.stdout}\n{asked.stderr}".strip().splitlines()
            end = "\n".join(lines[-_SHOWN_LINES:])
            raise ImageFailed(f"buildah {arguments[0]} failed (exit status {asked.returncode}):\n{end}")
        return asked.stdout


@final
class Contained:
    """A command that ``buildah run`` has started; its log is a file in ``folder``."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="log-", delete=False) as log:
            self._log = Path(log.name)
            self._buildah = psutil.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(environment)
            )

    def has_ended(self) -> bool:
        """Is ``buildah run`` over?"""
        return self._buildah.poll() is not None

    def log(self) -> str:
        """What the command has written."""
        return without_own_words(self._log.read_text(errors="replace"))

    def memory(self) -> list[memory.Part]:
        """Seen from outside: the container shares this machine's process ids."""
        return memory.read(process.pid for process in self._inside())

    def terminate(self) -> None:
        """To the command itself: between it and us stand buildah's helpers."""
        for process in self._inside()[:1]:
            process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """The command's status, handed on by buildah."""
        try:
            return int(self._buildah.wait(seconds))
        except psutil.TimeoutExpired:
            raise ImageFailed(
                f"the container had not ended after {seconds:g} seconds:\n{self.log()}"
            ) from None

    def close(self) -> None:
        """Kill whatever is left, the command first: its helpers then end by themselves."""
        left = self._inside()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        with suppress(psutil.TimeoutExpired):
            self._buildah.wait(_STOP_SECONDS)
        if not self.has_ended():
            self._buildah.kill()
            self._buildah.wait()

    def _inside(self) -> list[psutil.Process]:
        """The container's processes, parents first; none when it has ended."""
        if self.has_ended():
            return []
        found = []
        for process in self._buildah.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if not process.cmdline()[:1] or not process.cmdline()[0].startswith(_HELPER):
                    found.append(process)
        return found


def _driver(folder: Path) -> str:
    """overlay where the kernel and the disk can, else vfs, which copies every layer whole."""
    trial = ["buildah", "--root", str(folder / "trial"), "--runroot", str(folder / "trial-run")]
    tried = subprocess.run([*trial, "--storage-driver", "overlay", "info"], capture_output=True, check=False)
    return "vfs" if tried.returncode else "overlay"


def without_own_words(output: str) -> str:
    """``output`` without the lines that buildah adds when a command ends with a status."""
    return "\n".join(line for line in output.splitlines() if not _OWN_WORDS.match(line))


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
