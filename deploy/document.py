"""A YAML document in which every value knows its place: what a mistake is told with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
Path: TypeAlias = tuple[str | int, ...]

_SCALARS: Final = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """``line`` counts from 1; ``place`` is a path such as services[0].definition.ports[1]."""

    line: int
    place: str
    reason: str

    def __str__(self) -> str:
        """Give line, place and reason, for people."""
        return f"{self.line}: {self.place + ': ' if self.place else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Document:
    """``tree`` is the plain data, ``lines`` says where each path of it stands in ``text``."""

    text: str
    tree: Value
    lines: dict[Path, int]
    mistakes: list[Mistake] = field(default_factory=list)

    def mistake(self, path: Path, reason: str) -> Mistake:
        """A mistake at this path, or at the nearest one above it that stands in the text."""
        known = path
        while known not in self.lines and known:
            known = known[:-1]
        return Mistake(self.lines.get(known, 1), shown(path), reason)

    @property
    def root(self) -> Spot:
        """The whole document as a spot."""
        return Spot(self, (), self.tree)


@dataclass(frozen=True, slots=True)
class Spot:
    """One value of a document. What is absent or of another type reads as nothing, so that rules stay
    silent where the schema has spoken.
    """

    document: Document
    path: Path
    value: Value = None

    def __bool__(self) -> bool:
        """Is there a value?"""
        return self.value is not None

    def __getitem__(self, key: str) -> Spot:
        """What a mapping has under ``key``."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Spot(self.document, (*self.path, key), value)

    def __iter__(self) -> Iterator[Spot]:
        """The elements of a list."""
        for index, value in enumerate(self.value if isinstance(self.value, list) else ()):
            yield Spot(self.document, (*self.path, index), value)

    def texts(self) -> Iterator[Spot]:
        """Every text at and below this place."""
        if isinstance(self.value, str):
            yield self
        for each in self:
            yield from each.texts()
        for key in self.value if isinstance(self.value, dict) else ():
            yield from self[key].texts()

    @property
    def text(self) -> str:
        """The value, if it is text; else nothing."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        """The value, if it is a whole number."""
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    def wrong(self, reason: str) -> Mistake:
        """A mistake at this place."""
        return self.document.mistake(self.path, reason)


def shown(path: Path) -> str:
    """``("services", 0, "name")`` as services[0].name."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def read(text: str) -> Document:
    """Read YAML. What is no YAML at all, or has a key twice, is among the document's ``mistakes``."""
    document = Document(text, None, {})
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        tree = _Reader(loader, document).value(node, ()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return Document(text, None, {}, [Mistake(line, "", f"this is not YAML: {error.problem}")])
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        return Document(text, None, {}, [Mistake(1, "", f"this is not YAML: {reason}")])
    except RecursionError:
        return Document(text, None, {}, [Mistake(1, "", "an alias contains itself")])
    return Document(text, tree, document.lines, document.mistakes)


class _Reader:
    """Turns nodes into values and notes where they stand."""

    def __init__(self, loader: yaml.SafeLoader, document: Document) -> None:
        self._loader = loader
        self._document = document

    def value(self, node: yaml.Node, path: Path) -> Value:
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, index)) for index, each in enumerate(node.value)]
        made: object = self._loader.construct_object(node)
        # A date would be none in JSON: its text is what the API gets.
        return made if isinstance(made, _SCALARS) else str(node.value)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Value]:
        self._loader.flatten_mapping(node)
        found: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            below = (*path, key)
            self._document.lines[below] = key_node.start_mark.line + 1
            if key in found:
                self._document.mistakes.append(self._document.mistake(below, "this key stands here twice"))
            found[key] = self.value(value_node, below)
        return found
