"""A proxy with one planted fault: what a differential run must notice, or it would prove nothing.

``python -m tests.differential.faults NAME serve ...`` is ``orrery serve ...`` with the fault NAME. Each takes
away one rule. Not among them: rules that only matter while two flights overlap (tickets, suspension), which
clients in lock-step cannot break, and rules behind which another one stands.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from proxy import cli, supervisor, worker
from proxy.cache.tags import Tags
from proxy.net.client import ClientConnection
from proxy.schema import closure
from proxy.session import effects, rows, understanding
from proxy.session.batch import Read
from proxy.session.exchange import Exchange
from proxy.session.hits import Hits
from proxy.session.session import Session
from proxy.session.state import KEY_SETTINGS, State
from proxy.session.statements import Statements
from proxy.session.transaction import Transaction
from proxy.sql import compound
from proxy.sql.proof import footprint, row_changes

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from proxy.cache.facets import Fixed
    from proxy.cache.tags import Suspension
    from proxy.session.shapes import Shape
    from proxy.session.state import Scope
    from proxy.sql.analysis import Reach, Statement


def _put(owner: type[object] | ModuleType, name: str, what: object) -> None:
    """A class or module has something else by this name, which it must have."""
    assert hasattr(owner, name), f"{owner} has no {name} any more"
    setattr(owner, name, what)


def _key_without(*names: str) -> None:
    """The key does not hold these settings ("user" and "role" are what they say)."""
    whole = State.scope

    def scope(self: State) -> Scope:
        database, user, role, values = whole(self)
        kept = tuple("" if name in names else value for name, value in zip(KEY_SETTINGS, values, strict=True))
        return database, "" if "user" in names else user, "" if "role" in names else role, kept

    _put(State, "scope", scope)


def _key_without_parameters() -> None:
    _put(Read, "key", property(lambda read: b"T" if read.described else b"-"))
    _put(Hits, "answer", lambda _hits, _data: 0)  # which looks for the key in the bytes as they came


def _answers_in_spite_of(owner: type[State | Transaction], word: str) -> None:
    """The memory answers although ``word`` stands against it."""
    whole = owner.refusal

    def refusal(self: State | Transaction) -> str:
        found = whole(self)  # type: ignore[arg-type]
        return "" if found == word else found

    _put(owner, "refusal", refusal)


def _deaf_to(is_meant: Callable[[Statement], bool]) -> None:
    """Statements of a kind are taken to change nothing."""
    whole = effects.at_risk

    def at_risk(
        ran: tuple[Statement, ...], transaction: Transaction, before_is_certain: bool
    ) -> tuple[Reach, bool]:
        return whole(tuple(s for s in ran if not is_meant(s)), transaction, before_is_certain)

    _put(effects, "at_risk", at_risk)


def _blind_to(word: str) -> None:
    """What code of this kind does behind a write is not looked at."""
    whole = closure._Walk._hazard
    _put(closure._Walk, "_hazard", lambda *asked: "" if whole(*asked) == word else whole(*asked))


def _nothing_is_dropped() -> None:
    whole = Tags.end

    def end(self: Tags, suspension: Suspension, *, changed: bool) -> None:
        whole(self, suspension, changed=changed and False)

    _put(Tags, "end", end)


def _only_ends(state: State, *_: object) -> None:
    state._end()


def _a_failure_has_changed_nothing() -> None:
    whole = effects.changed

    def changed(exchange: Exchange, before: int, after: int) -> bool:
        return not exchange.failed and whole(exchange, before, after)

    _put(effects, "changed", changed)


def _reads_are_filed_under_another_value() -> None:
    whole = rows.fixed

    def fixed(shape: Shape, key: bytes) -> list[Fixed]:
        return [value + 1 if isinstance(value, int) else value for value in whole(shape, key)]

    _put(rows, "fixed", fixed)


def _reads_mention_no_column() -> None:
    whole = footprint._mentions
    _put(footprint, "_mentions", lambda *asked: dict.fromkeys(whole(*asked), frozenset()))


class _AnyScope(int):
    """Equal to every scope."""

    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False

    __hash__ = int.__hash__


def _scope_of_parse_is_ignored() -> None:
    _put(Session, "_certain_scope", lambda session: _AnyScope(session.outlook.scope))


def _ddl_goes_unnoticed() -> None:
    _deaf_to(lambda statement: statement.reach.ddl)
    _put(ClientConnection, "catalogue_changed", lambda _client, **_everywhere: None)


def _of_verb(verb: str) -> None:
    _deaf_to(lambda statement: statement.verb == verb)


_SEEN_SETTINGS: Final = (
    "search_path", "timezone", "datestyle", "intervalstyle", "extra_float_digits", "bytea_output",
    "client_encoding", "array_nulls", "timezone_abbreviations", "default_text_search_config",
    "backslash_quote",
)  # fmt: skip
_VERBS: Final = (
    "insert", "update", "delete", "merge", "truncate", "copy", "select", "do", "call", "explain", "execute",
)  # fmt: skip

FAULTS: Final[dict[str, Callable[[], object]]] = {
    **{f"key-without-{name}": partial(_key_without, name) for name in _SEEN_SETTINGS},
    "key-without-role": partial(_key_without, "role"),
    "key-without-user-and-role": partial(_key_without, "user", "role"),
    "key-without-parameters": _key_without_parameters,
    **{f"deaf-to-{verb}": partial(_of_verb, verb) for verb in _VERBS},
    "deaf-to-ddl": _ddl_goes_unnoticed,
    "deaf-to-failed-flights": _a_failure_has_changed_nothing,
    "closure-without-foreign-keys": partial(_put, closure._Walk, "_referring", lambda *_: ()),
    "closure-without-triggers": partial(_blind_to, "trigger"),
    "closure-without-rules": partial(_blind_to, "rule"),
    "closure-without-defaults": partial(_blind_to, "function"),
    "nothing-is-dropped": _nothing_is_dropped,
    "proof-always-holds": partial(
        _put, Exchange, "changed_nothing", property(lambda exchange: bool(exchange.proof_row))
    ),
    "isolation-is-ignored": partial(_answers_in_spite_of, Transaction, "isolation"),
    "own-writes-are-ignored": partial(_answers_in_spite_of, Transaction, "transaction"),
    "temporary-tables-are-ignored": partial(_answers_in_spite_of, State, "temporary"),
    "transform-null-equals-is-ignored": partial(_answers_in_spite_of, State, "settings"),
    "doubt-is-ignored": partial(_answers_in_spite_of, State, "doubt"),
    "set-is-ignored": partial(_put, State, "_set", lambda *_: None),
    "set-role-is-ignored": partial(_put, State, "_set_role", lambda *_: None),
    "set-config-is-ignored": partial(_put, compound, "_settings_of_calls", lambda *_: None),
    "rollback-keeps-settings": partial(_put, State, "rollback", _only_ends),
    "rollback-to-keeps-settings": partial(_put, State, "rollback_to", lambda *_: None),
    "commit-keeps-local-settings": partial(_put, State, "commit", _only_ends),
    "new-columns-are-ignored": partial(_put, understanding, "_form", lambda *_: frozenset()),
    "scope-of-parse-is-ignored": _scope_of_parse_is_ignored,
    "rows-without-the-new-value": partial(_put, row_changes, "_after", lambda *_: ()),
    "rows-under-another-value": _reads_are_filed_under_another_value,
    "rows-without-mentions": _reads_mention_no_column,
    "unnamed-statement-outlives-a-query": partial(_put, Statements, "end_unnamed", lambda _: None),
}


def main() -> None:
    """Plant the fault and serve; in each of several workers as well."""
    name = sys.argv.pop(1)
    FAULTS[name]()
    supervisor.PROGRAM = (sys.executable, "-m", "tests.differential.faults", name, "worker")
    if sys.argv[1] == "worker":
        sys.argv.pop(1)
        sys.exit(worker.main())
    cli.main()


if __name__ == "__main__":
    main()
