"""Which function or operator a name means for given argument types, and what every possible choice allows.

Where PostgreSQL's choice cannot be foretold, all that it may choose from must pass.
Source: PostgreSQL docs, typeconv-func, "Function Type Resolution"; typeconv-oper, "Operator Type Resolution".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from proxy.schema import names
from proxy.schema.catalogue import FIRST_USER_OID, Function, Operator
from proxy.sql.proof import oids
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.volatility import denial, writes_nothing

Types = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a call may come to. ``result`` is 0 where the candidates differ or none is known.

    ``accepted``: for each argument the types that the candidates take there.
    """

    denial: str
    writes_nothing: bool
    result: int
    accepted: tuple[frozenset[int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    function: Function
    parameters: Types
    result: int


NOBODY: Final = Choice("function", writes_nothing=False, result=oids.UNTYPED)
NOBODY_OPERATES: Final = Choice("operator", writes_nothing=False, result=oids.UNTYPED)
# The left operand of a prefix operator.
PREFIX: Final = -1


def choose_function(
    knowledge: Knowledge, schema: str | None, name: str, arguments: Types, path: tuple[str, ...]
) -> Choice:
    """What ``[schema.]name(arguments)`` may come to; ``NOBODY`` if no function of that name is known."""
    key = ("call", schema, name, arguments, path)
    return knowledge.memory.recall(key, lambda: _function(knowledge, schema, name, arguments, path))


def choose_any_function(knowledge: Knowledge, schema: str | None, name: str, path: tuple[str, ...]) -> Choice:
    """What any call of ``[schema.]name`` may come to: named arguments and VARIADIC arrays are not matched."""
    found = names.functions(knowledge.catalogue, schema, name, None, path)
    if not found:
        return NOBODY
    choice = _judge(knowledge, [_Candidate(f, f.arguments, f.result) for f in found], ())
    taken = {kind for function in found for kind in (*function.arguments, function.variadic)}
    if not any(knowledge.converts_by_user(oids.UNTYPED, kind) for kind in taken - {oids.UNTYPED}):
        return choice
    return replace(choice, denial=choice.denial or "cast", writes_nothing=False)


def choose_operator(
    knowledge: Knowledge, schema: str | None, name: str, left: int, right: int, path: tuple[str, ...]
) -> Choice:
    """What ``left name right`` may come to; ``left`` is ``PREFIX`` for a prefix operator."""
    key = ("operator", schema, name, left, right, path)
    return knowledge.memory.recall(key, lambda: _operator(knowledge, schema, name, left, right, path))


def _function(
    knowledge: Knowledge, schema: str | None, name: str, arguments: Types, path: tuple[str, ...]
) -> Choice:
    found = names.functions(knowledge.catalogue, schema, name, len(arguments), path)
    candidates = [_Candidate(f, _parameters(f, len(arguments)), f.result) for f in found]
    return _resolve(knowledge, candidates, arguments, arguments) if candidates else NOBODY


def _operator(
    knowledge: Knowledge, schema: str | None, name: str, left: int, right: int, path: tuple[str, ...]
) -> Choice:
    candidates = []
    for operator in names.operators(knowledge.catalogue, schema, name, path):
        if (operator.left == 0) != (left == PREFIX):
            continue
        function = knowledge.catalogue.functions.get(operator.function)
        if function is None:
            return NOBODY_OPERATES
        parameters = (operator.right,) if left == PREFIX else (operator.left, operator.right)
        candidates.append(_Candidate(function, parameters, operator.result))
    if not candidates:
        return NOBODY_OPERATES
    arguments = (right,) if left == PREFIX else (left, right)
    exact = _same_for_unknown(arguments)
    if exact != arguments and not any(candidate.parameters == exact for candidate in candidates):
        # A domain without an operator of its own is compared as what it rests on.
        exact = tuple(map(knowledge.base, exact))
    choice = _resolve(knowledge, candidates, arguments, exact)
    return replace(choice, denial="operator") if choice.denial == "function" else choice


def may_be_users(knowledge: Knowledge, left: int, right: int) -> bool:
    """May the = that CASE, NULLIF, IS DISTINCT FROM or USING stands for be one that a user made?

    A view does not print which one it found along the path of its maker. PostgreSQL's own for exactly these
    types gives way to none but another for exactly these. Source: PostgreSQL, utils/adt/ruleutils.c.
    """
    kinds = (left, right)
    known = knowledge.catalogue.operators.get("=", ())
    own = any((o.left, o.right) == kinds for o in known if o.oid < FIRST_USER_OID)
    return any(
        (o.left, o.right) == kinds or (not own and _accepts(knowledge, (o.left, o.right), kinds))
        for o in known
        if o.oid >= FIRST_USER_OID and not _is_trusted(knowledge, o)
    )


def _is_trusted(knowledge: Knowledge, operator: Operator) -> bool:
    function = knowledge.catalogue.functions.get(operator.function)
    return function is not None and not denial(function, knowledge.names(function.arguments))


def _same_for_unknown(arguments: Types) -> Types:
    """A literal beside a known type is first taken for that type. Source: PostgreSQL, parser/parse_oper.c,
    binary_oper_exact."""
    known = [argument for argument in arguments if argument != oids.UNKNOWN]
    return tuple(known * len(arguments)) if len(known) < len(arguments) else arguments


def _parameters(function: Function, count: int) -> Types:
    if function.variadic == 0:
        return function.arguments[:count]
    fixed = function.arguments[:-1]
    return (*fixed, *[function.variadic] * (count - len(fixed)))


def _resolve(
    knowledge: Knowledge, candidates: Sequence[_Candidate], arguments: Types, exact_types: Types
) -> Choice:
    if exact_types and oids.UNTYPED not in exact_types:
        exact = next((c for c in candidates if c.parameters == exact_types), None)
        if exact is not None:
            return _judge(knowledge, [exact], arguments)
    feasible = [c for c in candidates if _accepts(knowledge, c.parameters, arguments)]
    # PostgreSQL would refuse a call that no candidate accepts; who is not sure of that looks at all.
    return _judge(knowledge, _narrow(knowledge, feasible, arguments) or candidates, arguments)


def _accepts(knowledge: Knowledge, parameters: Types, arguments: Types) -> bool:
    return all(can_coerce(knowledge, a, p) for a, p in zip(arguments, parameters, strict=True))


def _narrow(knowledge: Knowledge, feasible: list[_Candidate], arguments: Types) -> list[_Candidate]:
    """Follow PostgreSQL's own elimination (PostgreSQL, parser/parse_func.c, func_select_candidate) for as
    long as every type involved is known; with an unknown type nothing is eliminated."""
    if len(feasible) < 2 or oids.UNTYPED in arguments:
        return feasible
    bases = tuple(knowledge.base(argument) for argument in arguments)
    kept = _most(feasible, lambda c: _exact_matches(c, bases))
    kept = _most(kept, lambda c: _preferred_matches(knowledge, c, bases))
    # Where a literal may be a string it is one; if that leaves nobody, all stay.
    literals = [place for place, argument in enumerate(bases) if argument == oids.UNKNOWN]
    wanted = [at for at in literals if any(_is_string(knowledge, c, at) for c in kept)]
    return [c for c in kept if all(_is_string(knowledge, c, at) for at in wanted)] or kept


def _is_string(knowledge: Knowledge, candidate: _Candidate, place: int) -> bool:
    return knowledge.category(candidate.parameters[place]) == "S"


def _most(candidates: list[_Candidate], count: Callable[[_Candidate], int]) -> list[_Candidate]:
    counts = [count(candidate) for candidate in candidates]
    best = max(counts)
    return [candidate for candidate, n in zip(candidates, counts, strict=True) if n == best]


def _exact_matches(candidate: _Candidate, arguments: Types) -> int:
    pairs = zip(candidate.parameters, arguments, strict=True)
    return sum(parameter == argument for parameter, argument in pairs if argument != oids.UNKNOWN)


def _preferred_matches(knowledge: Knowledge, candidate: _Candidate, arguments: Types) -> int:
    pairs = zip(candidate.parameters, arguments, strict=True)
    return sum(
        parameter == argument
        or (parameter in oids.PREFERRED and knowledge.category(parameter) == knowledge.category(argument))
        for parameter, argument in pairs
        if argument != oids.UNKNOWN
    )


def can_coerce(knowledge: Knowledge, source: int, target: int) -> bool:
    """May PostgreSQL turn ``source`` into ``target`` unasked? True where nobody is sure."""
    if source == target or source in (oids.UNTYPED, oids.UNKNOWN):
        return True
    if target == oids.ANY or target in oids.POLYMORPHIC:
        return _fits(knowledge, source, target)
    # To a domain as well as from one. Source: PostgreSQL, parser/parse_coerce.c, find_coercion_pathway.
    source, target = knowledge.base(source), knowledge.base(target)
    if source == target:
        return True
    if (source, target) in knowledge.catalogue.casts:
        return knowledge.catalogue.casts[source, target].context == "i"
    kinds = knowledge.catalogue.types.get(source), knowledge.catalogue.types.get(target)
    if kinds[0] is None or kinds[1] is None:
        return True
    if knowledge.element(source) and knowledge.element(target):
        return can_coerce(knowledge, knowledge.element(source), knowledge.element(target))
    rows = [kind.kind == "c" or kind.oid == oids.RECORD for kind in kinds if kind is not None]
    return all(rows)


def _fits(knowledge: Knowledge, source: int, target: int) -> bool:
    kind = knowledge.catalogue.types.get(knowledge.base(source))
    if kind is None:
        return True
    if target in oids.ARRAYS:
        return knowledge.element(source) != 0
    if target in oids.RANGES:
        return kind.kind == "r"
    if target in oids.MULTIRANGES:
        return kind.kind == "m"
    if target == oids.ANYENUM:
        return kind.kind == "e"
    return target not in (oids.ANYNONARRAY, oids.ANYCOMPATIBLENONARRAY) or knowledge.element(source) == 0


def _judge(knowledge: Knowledge, candidates: Sequence[_Candidate], arguments: Types) -> Choice:
    """The verdict that holds for every candidate."""
    functions = [candidate.function for candidate in candidates]
    denials = (denial(function, knowledge.names(function.arguments)) for function in functions)
    results = {_result(knowledge, candidate, arguments) for candidate in candidates}
    by_user = any(_converts_by_user(knowledge, candidate, arguments) for candidate in candidates)
    return Choice(
        denial="cast" if by_user else next((word for word in denials if word), ""),
        writes_nothing=not by_user and all(writes_nothing(function) for function in functions),
        result=results.pop() if len(results) == 1 else oids.UNTYPED,
        accepted=tuple(
            frozenset(candidate.parameters[place] for candidate in candidates)
            for place in range(len(arguments))
        ),
    )


def _converts_by_user(knowledge: Knowledge, candidate: _Candidate, arguments: Types) -> bool:
    """Would an argument reach its parameter through a user's cast?"""
    pairs = list(zip(arguments, candidate.parameters, strict=False))
    # Those of anycompatible go to the type that all of them settle on.
    united = [a for a, p in pairs if p in oids.COMPATIBLE]
    united += [knowledge.element(kind) for kind in united if knowledge.element(kind)]
    pairs += product(united, united)
    return any(knowledge.converts_by_user(a, p) for a, p in pairs if a != p)


def _result(knowledge: Knowledge, candidate: _Candidate, arguments: Types) -> int:
    if candidate.result not in oids.POLYMORPHIC:
        return candidate.result
    element = _element_of_call(knowledge, candidate, arguments)
    if element == oids.UNTYPED or candidate.result in oids.ELEMENTS:
        return element
    return knowledge.arrays.get(element, oids.UNTYPED) if candidate.result in oids.ARRAYS else oids.UNTYPED


def _element_of_call(knowledge: Knowledge, candidate: _Candidate, arguments: Types) -> int:
    """What anyelement stands for in this call; 0 where the arguments disagree or do not say."""
    found = set()
    for parameter, argument in zip(candidate.parameters, arguments, strict=False):
        if argument == oids.UNKNOWN:
            continue
        if parameter in oids.ELEMENTS:
            found.add(argument)
        elif parameter in oids.ARRAYS:
            found.add(knowledge.element(argument))
        elif parameter in oids.RANGES | oids.MULTIRANGES:
            found.add(oids.UNTYPED)
    return found.pop() if len(found) == 1 else oids.UNTYPED
