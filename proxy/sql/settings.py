"""SET, RESET, DISCARD and set_config(): what they do to the session's settings and role.

Source: PostgreSQL docs, sql-set, sql-set-role, sql-set-transaction, sql-reset, sql-discard; functions-admin,
"Configuration Settings Functions"; utils/misc/guc_funcs.c.
"""

# ruff: noqa: SIM905 - long lists of names read better as text
from __future__ import annotations

from typing import Final

from pglast import ast, enums, keywords

from proxy.sql.analysis import (
    Control,
    DiscardAll,
    Doubt,
    ResetAll,
    ResetSetting,
    SetRole,
    SetSetting,
    StateChange,
    Statement,
    Transaction,
)
from proxy.sql.proof.purity import split_name

# Settings whose value is a list of identifiers (GUC_LIST_QUOTE): each item is quoted where it must be.
_LISTS_OF_NAMES: Final = frozenset(
    """
    search_path temp_tablespaces session_preload_libraries shared_preload_libraries local_preload_libraries
    unix_socket_directories
    """.split()
)
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_RESERVED: Final = keywords.RESERVED_KEYWORDS | keywords.COL_NAME_KEYWORDS | keywords.TYPE_FUNC_NAME_KEYWORDS

_ISOLATION: Final = "transaction_isolation"
_Kind = enums.VariableSetKind


def set_statement(node: ast.VariableSetStmt) -> Statement:
    """SET and RESET in all their forms."""
    name = (node.name or "").lower()
    local = bool(node.is_local)
    if node.kind == _Kind.VAR_RESET_ALL:
        return _statement("reset", (ResetAll(),))
    if node.kind == _Kind.VAR_SET_MULTI:
        return _several(node, name)
    if node.kind == _Kind.VAR_SET_CURRENT:
        return _statement("set", (Doubt(),))
    if node.kind in (_Kind.VAR_RESET, _Kind.VAR_SET_DEFAULT):
        return _statement("reset" if node.kind == _Kind.VAR_RESET else "set", (_reset(name, local),))
    return _assigned(name, _value(name, node.args or ()), local)


def _statement(
    verb: str, state: tuple[StateChange, ...], transaction: Transaction | None = None
) -> Statement:
    return Statement(verb=verb, reason="utility", state=state, transaction=transaction)


def _reset(name: str, local: bool) -> StateChange:
    if name == "role":
        return SetRole(None, local)
    return Doubt() if name == "session_authorization" else ResetSetting(name, local)


def _assigned(name: str, value: str | None, local: bool) -> Statement:
    transaction = None
    if name == "transaction_isolation":
        # The same as SET TRANSACTION ISOLATION LEVEL.
        transaction = Transaction(Control.SET_TRANSACTION, None if value is None else value.lower())
    return _statement("set", (change(name, value, local),), transaction)


def change(name: str, value: str | None, local: bool, parameter: int = 0) -> StateChange:
    """The change that assigning ``value`` to ``name`` makes; ``parameter``: the value is that parameter's."""
    name = name.lower()
    if name == "session_authorization":
        return Doubt()
    if name != "role":
        return SetSetting(name, value, local, parameter)
    if value is None and not parameter:
        return Doubt()
    return SetRole(None if value == "none" else value, local, parameter)


def _value(name: str, arguments: tuple[ast.Node, ...]) -> str | None:
    words = [_word(argument) for argument in arguments]
    known = [word for word in words if word is not None]
    if len(known) < len(words):
        return None
    if name in _LISTS_OF_NAMES:
        return ", ".join(quote_identifier(word) for word in known)
    return ", ".join(known)


def _word(node: ast.Node | tuple[ast.Node, ...] | None) -> str | None:
    value = node.val if isinstance(node, ast.A_Const) else None
    if isinstance(value, ast.String):
        return value.sval or ""
    if isinstance(value, ast.Integer):
        return str(value.ival or 0)
    # SET TIME ZONE INTERVAL '...' and numbers with a fraction are printed by PostgreSQL's own rules.
    return None


def quote_identifier(name: str) -> str:
    """``name`` as PostgreSQL's quote_identifier() prints it."""
    plain = name != "" and not name[0].isdigit() and _PLAIN.issuperset(name) and name not in _RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


def _several(node: ast.VariableSetStmt, name: str) -> Statement:
    """SET TRANSACTION and SET SESSION CHARACTERISTICS AS TRANSACTION."""
    if name == "transaction snapshot":
        return _statement("set", (), Transaction(Control.SET_TRANSACTION))
    isolation = isolation_of(node.args or ())
    if name == "transaction":
        return _statement("set", (), Transaction(Control.SET_TRANSACTION, isolation))
    state: list[StateChange] = []
    if isolation is not None:
        state.append(SetSetting("default_transaction_isolation", isolation))
    state += [SetSetting(f"default_{name}", None) for name in _options_in(node.args or ()) - {_ISOLATION}]
    return _statement("set", tuple(state))


def _options_in(options: tuple[ast.Node, ...]) -> set[str]:
    return {option.defname or "" for option in options if isinstance(option, ast.DefElem)}


def isolation_of(options: tuple[ast.Node, ...]) -> str | None:
    """The isolation level that the options of BEGIN or SET TRANSACTION name."""
    level = None
    for option in options:
        if isinstance(option, ast.DefElem) and option.defname == _ISOLATION:
            level = _word(option.arg) if option.arg is not None else None
    return level.lower() if level is not None else None


def discard_statement(node: ast.DiscardStmt) -> Statement:
    """DISCARD ALL, PLANS, SEQUENCES, TEMP."""
    if node.target == enums.DiscardMode.DISCARD_ALL:
        return Statement("discard all", "utility", state=(DiscardAll(),), releases_locks=True)
    return Statement("discard", "utility")


def set_config_calls(node: ast.SelectStmt) -> tuple[StateChange, ...] | None:
    """The changes of ``SELECT set_config(...), ...`` that runs each call exactly once, in this order.

    None if the query has any other form: then nobody can tell whether and how often its calls run.
    """
    parts = (node.fromClause, node.whereClause, node.withClause, node.groupClause, node.havingClause)
    others = (node.valuesLists, node.sortClause, node.limitCount, node.limitOffset, node.distinctClause)
    if any(parts) or any(others) or node.op != enums.SetOperation.SETOP_NONE:
        return None
    calls = [target.val for target in node.targetList or () if isinstance(target.val, ast.FuncCall)]
    return tuple(
        _set_config(call.args or ()) for call in calls if split_name(call.funcname)[1] == "set_config"
    )


def _set_config(arguments: tuple[ast.Node, ...]) -> StateChange:
    if len(arguments) != 3:
        return Doubt()
    name, value, local = (_uncast(argument) for argument in arguments)
    is_local = _boolean(local)
    written = _word(name)
    if written is None or is_local is None:
        return Doubt()
    if isinstance(value, ast.ParamRef):
        return change(written, None, is_local, value.number or 0)
    text = _word(value)
    if isinstance(value, ast.A_Const) and value.isnull:
        return _reset(written.lower(), is_local)
    return change(written, text, is_local)


def _uncast(node: ast.Node) -> ast.Node:
    """A constant or parameter without a cast to text or boolean, which changes nothing of it."""
    name = node.typeName if isinstance(node, ast.TypeCast) else None
    plain = name is not None and split_name(name.names)[1] in ("text", "bool", "varchar")
    return node.arg if plain and isinstance(node, ast.TypeCast) and node.arg is not None else node


def _boolean(node: ast.Node) -> bool | None:
    value = node.val if isinstance(node, ast.A_Const) else None
    if isinstance(value, ast.Boolean):
        return bool(value.boolval)
    if isinstance(value, ast.String):
        return {"t": True, "true": True, "on": True, "f": False, "false": False, "off": False}.get(
            value.sval or ""
        )
    return None
