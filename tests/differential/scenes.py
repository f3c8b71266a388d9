"""Scenes: one query in the memory, and what may change its answer, watched by two clients after every step.

The query is asked in one manner throughout: by Query, unnamed, by the name of a prepared statement, or by
EXECUTE. A setting is changed in one of the ways in which it can be, and undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from proxy.wire import frontend
from tests.differential import messages
from tests.differential.grammar import Grammar
from tests.differential.messages import Part, Step
from tests.differential.phrases import SCENES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from tests.differential.messages import Parameter

TEMPLATES: Final = tuple(scene for section in SCENES.values() for scene in section)
_NUMBERS: Final = 12  # rows that scenes by key know
_SAME: Final = 0.4  # how often {m} is {k}
# A prepared one keeps what its literals were when it was parsed: most settings show in the others.
_MANNERS: Final = ("simple", "simple", "unnamed", "unnamed", "named", "named", "sql")
_OTHER: Final = "other: "
_DATA: Final = " << "
_NAME: Final = "scene"
_SYNC: Final = frontend.SYNC_FRAME

# The ways to change a setting, and to undo it; {name}, {value}.
_WAYS: Final[tuple[tuple[str, ...], ...]] = (
    ("SET {name} = {value}", "RESET {name}"),
    ("SET {name} = {value}", "SET {name} TO DEFAULT"),
    ("SET {name} = {value}", "RESET ALL"),
    ("SELECT set_config('{name}', {value}, false)", "RESET {name}"),
    ("BEGIN", "SET LOCAL {name} = {value}", "COMMIT"),
    ("BEGIN", "SET {name} = {value}", "ROLLBACK"),
    ("BEGIN", "SELECT set_config('{name}', {value}, true)", "COMMIT"),
    ("BEGIN", "SAVEPOINT a", "SET {name} = {value}", "ROLLBACK TO a", "COMMIT"),
    ("BEGIN", "SAVEPOINT a", "SET {name} = {value}", "RELEASE a", "COMMIT", "RESET {name}"),
    ("BEGIN", "SET {name} = {value}", "SELECT nosuch", "COMMIT"),
    ("BEGIN; SET {name} = {value}; COMMIT", "RESET {name}"),
    ("SET {name} = {value}; SELECT 1 / 0", "RESET {name}"),
)


def _quoted(value: str) -> str:
    # A list (search_path, datestyle) is several words.
    return ", ".join(f"'{word.strip()}'" for word in value.split(","))


def _steps_of(random: Random, told: str) -> list[str]:
    """The statements of one step of a scene."""
    name, equals, value = told.partition(" = ")
    if not equals or " " in name:
        return [told]
    way = random.choice(_WAYS)
    # set_config() takes one text.
    texts = [f"'{value}'" if "set_config" in sql else _quoted(value) for sql in way]
    return [sql.format(name=name, value=text) for sql, text in zip(way, texts, strict=True)]


def anew(client: int) -> Iterator[Step]:
    """Make the client's session what it was at its login."""
    for sql in ("ROLLBACK", "RESET SESSION AUTHORIZATION", "DISCARD ALL"):
        yield messages.query(client, sql)


@final
class Scene:
    """One scene made of ``template``; ``steps`` once. ``client`` acts, ``other`` looks on."""

    def __init__(self, random: Random, template: str, client: int, other: int) -> None:
        self._random = random
        self._clients = (client, other)
        numbers = {"k": random.randint(1, _NUMBERS)}
        numbers["m"] = numbers["k"] if random.random() < _SAME else random.randint(1, _NUMBERS)
        self._numbers = {name: str(number) for name, number in numbers.items()}
        focus, *self._steps = template.split(" ;; ")
        self._manner = random.choice(_MANNERS)
        self._parameters: list[Parameter] = []
        self._focus = self._filled(focus, self._parameters if self._manner in ("unnamed", "named") else None)

    def steps(self) -> Iterator[Step]:
        """Prepare, look, and after each change look again."""
        for client in self._clients:
            yield from self._prepare(client)
            yield self._look(client)
        for told in self._steps:
            for sql in _steps_of(self._random, self._filled(told, None)):
                yield self._act(sql)
                yield from map(self._look, self._clients)
        for client in self._clients:
            if self._manner in ("named", "sql"):
                yield Step(client, (Part(messages.close_statement(_NAME) + _SYNC),))

    def _filled(self, template: str, parameters: list[Parameter] | None) -> str:
        """With its places filled. A number may be a parameter only where it stands by itself."""
        grammar = Grammar(self._random, {}, parameters)
        for name, number in self._numbers.items():
            if parameters is None:
                grammar.places[name] = number.__str__
            else:
                grammar.places[name] = self._number_or_parameter(grammar, number)
        return grammar.fill(template)

    def _number_or_parameter(self, grammar: Grammar, number: str) -> Callable[[], str]:
        return lambda: grammar.value("id", number) if self._random.random() < 0.8 else number

    def _act(self, sql: str) -> Step:
        client = self._clients[sql.startswith(_OTHER)]
        sql, _, data = sql.removeprefix(_OTHER).partition(_DATA)
        if data:
            rows = data.replace("\\t", "\t").replace("\\n", "\n").encode()
            frames = frontend.query(sql.encode()) + messages.copy_data(rows) + frontend.COPY_DONE_FRAME
            return Step(client, (Part(frames),), ordered=False)
        if ";" not in sql and self._random.random() < 0.4:
            frames = messages.parse("", sql) + messages.bind("", "") + messages.describe_portal()
            return Step(client, (Part(frames + messages.execute() + _SYNC),), ordered=False)
        return messages.query(client, sql, ordered=False)

    def _prepare(self, client: int) -> Iterator[Step]:
        if self._manner == "named":
            yield Step(client, (Part(messages.parse(_NAME, self._focus, self._parameters) + _SYNC),))
        elif self._manner == "sql":
            yield messages.query(client, f"PREPARE {_NAME} AS {self._focus}")

    def _look(self, client: int) -> Step:
        if self._manner == "simple":
            return messages.query(client, self._focus, read=True)
        if self._manner == "sql":
            return messages.query(client, f"EXECUTE {_NAME}", read=True)
        name = _NAME if self._manner == "named" else ""
        frames = b"" if name else messages.parse("", self._focus, self._parameters)
        frames += messages.bind("", name, self._parameters, self._random.choice(((), (1,))))
        if self._random.random() < 0.5:
            frames += messages.describe_portal()
        return Step(client, (Part(frames + messages.execute() + _SYNC),), read=True)
