"""Function calls: which function, with which effect on the session, and what becomes of literal arguments.

Source: PostgreSQL docs, sql-expressions, "Function Calls", "Aggregate Expressions", "Window Function Calls";
functions-admin, "Configuration Settings Functions", "Advisory Lock Functions".
"""

# ruff: noqa: SIM905 - long lists of names read better as text
from __future__ import annotations

from typing import Final

from pglast import ast

from proxy.schema import names
from proxy.schema.catalogue import FIRST_USER_OID
from proxy.sql.analysis import Doubt, Lock
from proxy.sql.proof import expressions, oids, queries
from proxy.sql.proof.candidates import NOBODY, Choice, choose_any_function, choose_function
from proxy.sql.proof.proof import Proof
from proxy.sql.proof.purity import checks_write_nothing, split_name
from proxy.sql.proof.scope import Scope
from proxy.sql.proof.typenames import agree, convert
from proxy.sql.proof.volatility import FILLS_ROWS

# How long the lock of an advisory lock function is held.
LOCKS: Final = {
    **{f"pg_{t}advisory_lock{s}": Lock.SESSION for t in ("", "try_") for s in ("", "_shared")},
    **{f"pg_{t}advisory_xact_lock{s}": Lock.TRANSACTION for t in ("", "try_") for s in ("", "_shared")},
}
# Functions that find the order or equality of their arguments by the default operator class of their type.
_COMPARING: Final = frozenset(
    """
    array_eq array_ge array_gt array_larger array_le array_lt array_ne array_position array_positions
    array_remove array_replace array_smaller array_sort arraycontained arraycontains arrayoverlap btarraycmp
    btrecordcmp cume_dist dense_rank hash_array hash_array_extended hash_record hash_record_extended max min
    mode percent_rank percentile_disc rank record_eq record_ge record_gt record_larger record_le record_lt
    record_ne record_smaller width_bucket
    """.split()
)


# Their arguments make a row that is ranked among those which are sorted.
_HYPOTHETICAL: Final = frozenset({"cume_dist", "dense_rank", "percent_rank", "rank"})


def call(proof: Proof, scope: Scope, node: ast.FuncCall) -> int:
    """Judge a call; the type of its result."""
    schema, name = split_name(node.funcname)
    arguments: tuple[ast.Node, ...] = node.args or ()
    sorting = [sort.node for sort in node.agg_order or ()]
    if node.agg_within_group:
        # The sorted expressions are the last arguments of an ordered-set aggregate.
        arguments = (*arguments, *sorting)
    elif sorting:
        queries.sort(proof, scope, node.agg_order)
    queries.window(proof, scope, node.over)
    expressions.condition(proof, scope, node.agg_filter)
    named = any(isinstance(argument, ast.NamedArgExpr) for argument in arguments)
    values = [argument.arg if isinstance(argument, ast.NamedArgExpr) else argument for argument in arguments]
    kinds = tuple(expressions.type_of(proof, scope, value) for value in values)
    if node.agg_within_group and name in _HYPOTHETICAL:
        kinds = _as_sorted(proof, values, kinds)
    if node.agg_distinct or node.agg_within_group or name in _COMPARING:
        for kind in kinds:
            expressions.ordered(proof, kind)
    if named or node.func_variadic:
        choice = choose_any_function(proof.knowledge, schema, name, scope.path)
    else:
        choice = choose_function(proof.knowledge, schema, name, kinds, scope.path)
    if "json" in name and any(proof.knowledge.prints_json_by_user(kind) for kind in kinds):
        proof.deny_unseen("cast")
    _note_effects(proof, name)
    return _conclude(proof, scope, (schema, name), list(zip(values, kinds, strict=True)), choice)


def _as_sorted(proof: Proof, values: list[ast.Node | None], kinds: tuple[int, ...]) -> tuple[int, ...]:
    """A hypothetical row has the types of the sorted ones: the second half of the arguments.

    Source: PostgreSQL, parser/parse_func.c, unify_hypothetical_args.
    """
    half = len(kinds) // 2
    given, ranked = kinds[:half], kinds[half:]
    for at, pair in enumerate(zip(given, ranked, strict=False)):
        agree(proof, zip((values[at], values[half + at]), pair, strict=True))
    taken = (b if a == oids.UNKNOWN else a for a, b in zip(given, ranked, strict=False))
    return (*taken, *ranked)


def _conclude(
    proof: Proof,
    scope: Scope,
    name: tuple[str | None, str],
    arguments: list[tuple[ast.Node | None, int]],
    choice: Choice,
) -> int:
    target = _type_of_that_name(proof, scope, name) if len(arguments) == 1 else oids.UNTYPED
    if target:
        # date(x) is CAST(x AS date), unless a function date takes exactly that type.
        convert(proof, *arguments[0], target)
    if len(arguments) == 1 and _may_be_column(proof, arguments[0][1], choice):
        # f(row) means row.f where no function f takes the row: nothing is known of such a column.
        proof.deny_unseen("unresolved")
        return oids.UNTYPED
    if choice is NOBODY and target and target < FIRST_USER_OID:
        return target
    if choice.denial:
        proof.deny(choice.denial)
    if not choice.writes_nothing and not _fills_quietly(proof, name[1], arguments, choice):
        proof.pure = False
    if not target:
        for place, (value, kind) in enumerate(arguments):
            if kind == oids.UNKNOWN:
                expressions.settle_all(proof, value, choice, place)
    unsure = len(arguments) == 1 and arguments[0][1] == oids.UNTYPED
    return oids.UNTYPED if unsure else choice.result


def _fills_quietly(
    proof: Proof, name: str, arguments: list[tuple[ast.Node | None, int]], choice: Choice
) -> bool:
    """Does PostgreSQL's own function fill a row whose type runs no code of users' when it is read?"""
    if name not in FILLS_ROWS or choice.denial == "function" or not arguments:
        return False
    kind = arguments[0][1]
    known = kind not in (oids.UNTYPED, oids.UNKNOWN, oids.RECORD)
    quiet = known and not proof.knowledge.runs_unseen_code(kind)
    return quiet and checks_write_nothing(proof.knowledge, kind)


def _may_be_column(proof: Proof, kind: int, choice: Choice) -> bool:
    row = proof.knowledge.catalogue.types.get(proof.knowledge.base(kind))
    if row is None or (row.kind != "c" and row.oid != oids.RECORD):
        return False
    takes_rows = oids.ELEMENTS | {oids.ANY, oids.RECORD, kind}
    return not choice.accepted or not choice.accepted[0] <= takes_rows


def _type_of_that_name(proof: Proof, scope: Scope, name: tuple[str | None, str]) -> int:
    found = names.resolve_type(proof.knowledge.catalogue, *name, scope.path)
    return found.oid if found is not None and found.kind != "p" else oids.UNTYPED


def has_effects(name: str) -> bool:
    """Does a call of this name lock, unlock or set something?"""
    return name in LOCKS or name in ("pg_advisory_unlock_all", "set_config")


def _note_effects(proof: Proof, name: str) -> None:
    """What a call does to the session; a name is enough, for it can only make us more careful."""
    if name in LOCKS:
        proof.lock = max(proof.lock, LOCKS[name])
    elif name == "pg_advisory_unlock_all":
        proof.releases_locks = True
    elif name == "set_config":
        # Where it stands nobody can tell whether and how often it runs: settings.py knows the simple form.
        proof.state.append(Doubt())
