"""The house keeps its own rules: floors, sizes, mirrored tests, and papers that say what is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILDINGS = ("app", "bench", "deploy", "loadtest", "proxy", "tools")
PURE_ROOMS = ("wire", "sql", "schema", "cache", "metrics", "session")

# What a reader takes in at once; a longer module says in its docstring why it is not two.
MODULE_LINES, TEST_LINES, FUNCTION_LINES = 400, 600, 40
REASON = "one module"
# Marks of a machine or of an index in a file that is for everybody.
FOREIGN = re.compile(
    r"/(?:home|root|Users|work)/\w|index-url\s*=|npmjs\.(?:org|com)|pypi\.org|pythonhosted\.org"
)


def tracked(*patterns: str) -> list[Path]:
    """The files of the repository that exist now, by git's patterns."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def modules() -> list[Path]:
    return tracked(*(f"{building}/*.py" for building in BUILDINGS))


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return {re.split(r"[\[<>=]", line, maxsplit=1)[0] for line in wanted}


def targets() -> dict[str, list[str]]:
    """Each target of the Makefile with the lines of its recipe."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / "Makefile").read_text().splitlines():
        if match := re.match(r"([a-z-]+):(?!=)", line):
            name = match[1]
            found[name] = []
        elif line.startswith("\t"):
            found[name].append(line.strip())
    return found


def test_the_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    kept = subprocess.run(
        [linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert kept.returncode == 0, kept.stdout + kept.stderr


def test_every_module_says_its_role_in_its_first_line() -> None:
    silent = [shown(path) for path in modules() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


def test_a_long_module_says_why_it_is_one() -> None:
    long = [path for path in modules() if len(path.read_text().splitlines()) > MODULE_LINES]
    unexplained = [
        shown(path) for path in long if REASON not in (ast.get_docstring(ast.parse(path.read_text())) or "")
    ]
    assert not unexplained, (
        f"more than {MODULE_LINES} lines without a sentence with '{REASON}' in the docstring"
    )


def test_no_test_module_is_endless() -> None:
    assert not [
        shown(path) for path in tracked("tests/*.py") if len(path.read_text().splitlines()) > TEST_LINES
    ]


def test_functions_are_short() -> None:
    long = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines > FUNCTION_LINES:
                    long.append(f"{shown(path)}: {node.name} has {lines} lines")
    assert not long


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_every_module_of_a_pure_room_has_its_own_test(room: str) -> None:
    active = (path for path in tracked(f"proxy/{room}/*.py") if path.name != "__init__.py" and _acts(path))
    assert not [shown(path) for path in active if not _mirror(path).exists()]


def _acts(module: Path) -> bool:
    """Has the module any function? One of names and types alone has nothing to test."""
    return any(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(module.read_text())))


def _mirror(module: Path) -> Path:
    inside = module.relative_to(ROOT)
    return ROOT / "tests" / inside.parent / f"test_{inside.name}"


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in tracked("tests/*.py")}
    assert not [shown(folder) for folder in folders if not (folder / "__init__.py").exists()]


def test_the_folder_prisma_does_not_shadow_the_installed_client() -> None:
    assert not (ROOT / "prisma" / "__init__.py").exists()


def test_every_target_is_listed_by_help_and_is_short() -> None:
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in listed.splitlines()} == set(targets())
    assert not {name: recipe for name, recipe in targets().items() if len(recipe) > 3}


def test_every_program_that_the_makefile_calls_exists() -> None:
    recipes = " ".join(line for recipe in targets().values() for line in recipe)
    called = {
        name.replace(".", "/")
        for name in re.findall(r"-m ((?:tools|tests|loadtest|deploy|bench)\.[\w.]+)", recipes)
    }
    missing = [
        name
        for name in called
        if not (ROOT / f"{name}.py").exists() and not (ROOT / name / "__main__.py").exists()
    ]
    assert not missing


def test_every_path_that_the_architecture_names_exists() -> None:
    named = re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:py|md|toml))`", _paper("ARCHITECTURE.md"))
    places = (ROOT, ROOT / "proxy")
    assert named
    assert not [name for name in named if not any((place / name).exists() for place in places)]


def test_every_dependency_has_a_line_on_what_it_is_for() -> None:
    explained = set(re.findall(r"^\| `([\w-]+)` \| .+ \|$", _paper("CONTRIBUTING.md"), re.MULTILINE))
    assert explained == dependencies()


def test_no_file_names_an_index_or_a_place_on_one_machine() -> None:
    found = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in {".png", ".wasm", ".ico"}:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if FOREIGN.search(line):
                found.append(f"{shown(path)}:{number}: {line.strip()[:80]}")
    assert not found


def test_what_is_locked_has_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        pins = re.split(r"\n(?=\w)", (ROOT / name).read_text().partition("\n")[2])
        assert len(pins) > 20
        assert not [pin for pin in pins if "--hash=sha256:" not in pin]


def _paper(name: str) -> str:
    return (ROOT / name).read_text()
