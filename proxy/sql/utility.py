"""Commands that are no queries: what each may change, in one table by kind of statement.

Whatever has no row here is of unknown reach. Source: PostgreSQL docs, sql-commands; tcop/utility.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pglast import ast, enums

from proxy.schema import names
from proxy.sql.analysis import (
    NOTHING,
    QUERIES,
    UNKNOWN,
    Control,
    Doubt,
    Extent,
    Lock,
    Named,
    Reach,
    Statement,
    Transaction,
)
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.proof import Context
from proxy.sql.proof.purity import expressions_write_nothing, tree_writes_nothing
from proxy.sql.proof.volatility import EXTENSIONS
from proxy.sql.settings import discard_statement, isolation_of, set_statement

DDL: Final = Reach(Extent.DATABASE, ddl=True)
SHARED_DDL: Final = Reach(Extent.ORIGIN, ddl=True)
UNKNOWN_STATEMENT: Final = Statement("unknown", "unsupported", reach=UNKNOWN, state=(Doubt(),))

_Object = enums.ObjectType
_SHARED_OBJECTS: Final = frozenset(
    {_Object.OBJECT_DATABASE, _Object.OBJECT_ROLE, _Object.OBJECT_TABLESPACE, _Object.OBJECT_PARAMETER_ACL}
)
_Kind = enums.TransactionStmtKind
_CONTROLS: Final = {
    _Kind.TRANS_STMT_BEGIN: ("begin", Control.BEGIN),
    _Kind.TRANS_STMT_START: ("start transaction", Control.BEGIN),
    _Kind.TRANS_STMT_COMMIT: ("commit", Control.COMMIT),
    _Kind.TRANS_STMT_ROLLBACK: ("rollback", Control.ROLLBACK),
    _Kind.TRANS_STMT_SAVEPOINT: ("savepoint", Control.SAVEPOINT),
    _Kind.TRANS_STMT_RELEASE: ("release", Control.RELEASE),
    _Kind.TRANS_STMT_ROLLBACK_TO: ("rollback to", Control.ROLLBACK_TO),
    _Kind.TRANS_STMT_PREPARE: ("prepare transaction", Control.PREPARE_TRANSACTION),
    _Kind.TRANS_STMT_COMMIT_PREPARED: ("commit prepared", Control.COMMIT_PREPARED),
    _Kind.TRANS_STMT_ROLLBACK_PREPARED: ("rollback prepared", Control.ROLLBACK_PREPARED),
}
# Somebody else's writes and DDL, or our own later, become visible without being seen here.
_TWO_PHASE: Final = {Control.PREPARE_TRANSACTION: UNKNOWN, Control.COMMIT_PREPARED: UNKNOWN}

# Commands that change no answer: verb by kind.
_HARMLESS: Final[dict[type[ast.Node], str]] = {
    ast.CheckPointStmt: "checkpoint",
    ast.CommentStmt: "comment",
    ast.ConstraintsSetStmt: "set constraints",
    ast.ListenStmt: "listen",
    ast.NotifyStmt: "notify",
    ast.UnlistenStmt: "unlisten",
    ast.VariableShowStmt: "show",
}
# DDL that stays in its database and runs no code of users'.
_DDL: Final[dict[type[ast.Node], str]] = {
    ast.AlterCollationStmt: "alter collation",
    ast.AlterDefaultPrivilegesStmt: "alter default privileges",
    ast.AlterEnumStmt: "alter type",
    ast.AlterEventTrigStmt: "alter event trigger",
    ast.AlterFdwStmt: "alter foreign data wrapper",
    ast.AlterForeignServerStmt: "alter server",
    ast.AlterFunctionStmt: "alter function",
    ast.AlterObjectDependsStmt: "alter",
    ast.AlterObjectSchemaStmt: "alter",
    ast.AlterOpFamilyStmt: "alter operator family",
    ast.AlterOperatorStmt: "alter operator",
    ast.AlterPolicyStmt: "alter policy",
    ast.AlterPublicationStmt: "alter publication",
    ast.AlterSeqStmt: "alter sequence",
    ast.AlterStatsStmt: "alter statistics",
    ast.AlterTSConfigurationStmt: "alter text search configuration",
    ast.AlterTSDictionaryStmt: "alter text search dictionary",
    ast.AlterTypeStmt: "alter type",
    ast.AlterUserMappingStmt: "alter user mapping",
    ast.CompositeTypeStmt: "create type",
    ast.CreateAmStmt: "create access method",
    ast.CreateCastStmt: "create cast",
    ast.CreateConversionStmt: "create conversion",
    ast.CreateDomainStmt: "create domain",
    ast.CreateEnumStmt: "create type",
    ast.CreateEventTrigStmt: "create event trigger",
    ast.CreateFdwStmt: "create foreign data wrapper",
    ast.CreateForeignServerStmt: "create server",
    ast.CreateForeignTableStmt: "create foreign table",
    ast.CreateFunctionStmt: "create function",
    ast.CreateOpClassStmt: "create operator class",
    ast.CreateOpFamilyStmt: "create operator family",
    ast.CreatePLangStmt: "create language",
    ast.CreatePolicyStmt: "create policy",
    ast.CreatePublicationStmt: "create publication",
    ast.CreateRangeStmt: "create type",
    ast.CreateSchemaStmt: "create schema",
    ast.CreateSeqStmt: "create sequence",
    ast.CreateStatsStmt: "create statistics",
    ast.CreateTransformStmt: "create transform",
    ast.CreateTrigStmt: "create trigger",
    ast.CreateUserMappingStmt: "create user mapping",
    ast.DefineStmt: "create",
    ast.DropUserMappingStmt: "drop user mapping",
    ast.ReplicaIdentityStmt: "alter table",
    ast.RuleStmt: "create rule",
    ast.SecLabelStmt: "security label",
    ast.ViewStmt: "create view",
}
# DDL on objects that all databases share. Source: PostgreSQL docs, manage-ag-overview.
_SHARED: Final[dict[type[ast.Node], str]] = {
    ast.AlterDatabaseRefreshCollStmt: "alter database",
    ast.AlterDatabaseSetStmt: "alter database",
    ast.AlterRoleSetStmt: "alter role",
    ast.AlterRoleStmt: "alter role",
    ast.AlterSubscriptionStmt: "alter subscription",
    ast.AlterTableSpaceOptionsStmt: "alter tablespace",
    ast.CreateRoleStmt: "create role",
    ast.DropOwnedStmt: "drop owned",
    ast.DropRoleStmt: "drop role",
    ast.GrantRoleStmt: "grant role",
    ast.ReassignOwnedStmt: "reassign owned",
}
# The same, but they refuse to run in a transaction block.
_SHARED_COMMITTING: Final[dict[type[ast.Node], str]] = {
    ast.AlterDatabaseStmt: "alter database",
    ast.AlterSystemStmt: "alter system",
    ast.CreateSubscriptionStmt: "create subscription",
    ast.CreateTableSpaceStmt: "create tablespace",
    ast.CreatedbStmt: "create database",
    ast.DropSubscriptionStmt: "drop subscription",
    ast.DropTableSpaceStmt: "drop tablespace",
    ast.DropdbStmt: "drop database",
}
# DDL that runs scripts, or evaluates over rows what nobody here has read.
_WILD: Final[dict[type[ast.Node], str]] = {
    ast.AlterDomainStmt: "alter domain",
    ast.AlterExtensionContentsStmt: "alter extension",
    ast.AlterExtensionStmt: "alter extension",
    ast.AlterTableMoveAllStmt: "alter table",
    ast.CreateExtensionStmt: "create extension",
    ast.ImportForeignSchemaStmt: "import foreign schema",
    # What a materialised view's query calls is unread.
    ast.RefreshMatViewStmt: "refresh",
}
# Commands that fire no event trigger, by verb; all others may, whatever the version.
# Source: PostgreSQL docs, event-trigger-matrix.
WITHOUT_EVENTS: Final = QUERIES | frozenset(
    (
        *("analyze", "checkpoint", "cluster", "copy", "truncate", "vacuum"),
        *("close", "deallocate", "declare", "execute", "explain", "fetch", "move", "prepare"),
        *("begin", "commit", "release", "rollback", "rollback to", "savepoint", "start transaction"),
        *("commit prepared", "prepare transaction", "rollback prepared", "set constraints"),
        *("discard", "discard all", "listen", "lock", "notify", "reset", "set", "show", "unlisten"),
    )
)
_Handler = Callable[["Knowledge | None", Context, ast.Node], Statement]


def utility(knowledge: Knowledge | None, context: Context, node: ast.Node) -> Statement:
    """What a command may change. Without a catalogue whatever depends on it is of unknown reach."""
    kind = type(node)
    for table, reach, commits in _TABLES:
        if kind in table:
            temporary = reach.ddl and _is_in_temporary_schema(node)
            return Statement(table[kind], "utility", reach=reach, commits_itself=commits, temporary=temporary)
    return _particular(knowledge, context, node)


_TABLES: Final = (
    (_HARMLESS, NOTHING, False),
    (_DDL, DDL, False),
    (_SHARED, SHARED_DDL, False),
    (_SHARED_COMMITTING, SHARED_DDL, True),
    (_WILD, UNKNOWN, False),
)


def _particular(knowledge: Knowledge | None, context: Context, node: ast.Node) -> Statement:
    """Commands whose reach depends on what they say."""
    if isinstance(node, ast.TransactionStmt):
        return _transaction(node)
    if isinstance(node, ast.VariableSetStmt):
        return set_statement(node)
    if isinstance(node, ast.DiscardStmt):
        return discard_statement(node)
    if isinstance(node, ast.ClosePortalStmt):
        return Statement("close", "cursor", named=Named("close", node.portalname or ""))
    if isinstance(node, ast.FetchStmt):
        named = Named("fetch", node.portalname or "")
        return Statement("move" if node.ismove else "fetch", "cursor", reach=UNKNOWN, named=named)
    if isinstance(node, ast.DeallocateStmt):
        return Statement("deallocate", "prepared", named=Named("deallocate", node.name or ""))
    if isinstance(node, ast.LockStmt):
        return Statement("lock", "locking", lock=Lock.TRANSACTION)
    if isinstance(node, ast.CallStmt | ast.DoStmt):
        verb = "do" if isinstance(node, ast.DoStmt) else "call"
        return Statement(verb, "utility", reach=UNKNOWN, state=(Doubt(),), commits_itself=True)
    if isinstance(node, ast.LoadStmt):
        return Statement("load", "utility", reach=UNKNOWN, state=(Doubt(),))
    return _maintenance(knowledge, context, node) or _definition(knowledge, context, node)


def _transaction(node: ast.TransactionStmt) -> Statement:
    verb, control = _CONTROLS[node.kind or _Kind.TRANS_STMT_BEGIN]
    transaction = Transaction(
        control,
        isolation=isolation_of(node.options or ()) if control == Control.BEGIN else None,
        savepoint=node.savepoint_name or "",
        chain=bool(node.chain),
    )
    return Statement(verb, "utility", reach=_TWO_PHASE.get(control, NOTHING), transaction=transaction)


def _maintenance(knowledge: Knowledge | None, context: Context, node: ast.Node) -> Statement | None:
    """VACUUM, ANALYZE, REINDEX, CREATE INDEX, CLUSTER: they may evaluate expressions of indexes."""
    if isinstance(node, ast.VacuumStmt):
        options = {option.defname for option in node.options or ()}
        # Even a plain VACUUM evaluates them: it sums up what a BRIN index has not seen yet.
        quiet = _expressions_are_quiet(knowledge, context, [one.relation for one in node.rels or ()])
        # VACUUM FULL rewrites the table; its rows stay, but system columns and order do not.
        reach = DDL if "full" in options else NOTHING
        verb = "vacuum" if node.is_vacuumcmd else "analyze"
        commits = bool(node.is_vacuumcmd) or not node.rels
        return Statement(verb, "utility", reach=reach if quiet else UNKNOWN, commits_itself=commits)
    if isinstance(node, ast.ReindexStmt):
        quiet = _expressions_are_quiet(knowledge, context, [])
        return Statement("reindex", "utility", reach=NOTHING if quiet else UNKNOWN, commits_itself=True)
    if isinstance(node, ast.IndexStmt):
        return _create_index(knowledge, context, node)
    if isinstance(node, ast.ClusterStmt):
        quiet = _expressions_are_quiet(knowledge, context, [])
        return Statement("cluster", "utility", reach=DDL if quiet else UNKNOWN, commits_itself=True)
    return None


def _create_index(knowledge: Knowledge | None, context: Context, node: ast.IndexStmt) -> Statement:
    elements = node.indexParams or ()
    named = any(element.expr is not None or element.opclass for element in elements)
    plain = not named and node.whereClause is None and not node.excludeOpNames
    # The columns' own types choose their default operator class: a user-made type brings a user's code.
    quiet = plain and node.relation is not None and _columns_are_built_in(knowledge, context, node.relation)
    reach = NOTHING if quiet else UNKNOWN
    return Statement("create index", "utility", reach=reach, commits_itself=bool(node.concurrent))


def _columns_are_built_in(knowledge: Knowledge | None, context: Context, table: ast.RangeVar) -> bool:
    if knowledge is None or knowledge.orders_by_user:
        return False
    relation = names.resolve_relation(
        knowledge.catalogue, table.schemaname, table.relname or "", context.path
    )
    if relation is None:
        return False
    return not any(knowledge.taint(column.type_oid) == "type" for column in relation.columns)


def _expressions_are_quiet(
    knowledge: Knowledge | None, context: Context, tables: list[ast.RangeVar | None]
) -> bool:
    """Do the expressions stored with these tables, and the orders of their columns, write nothing?

    Of all tables where none is named.
    """
    if knowledge is None or knowledge.orders_by_user:
        return False
    relations = list(knowledge.catalogue.relations.values())
    if tables:
        named = [
            names.resolve_relation(knowledge.catalogue, table.schemaname, table.relname or "", context.path)
            for table in tables
            if table is not None
        ]
        relations = [relation for relation in named if relation is not None]
        if len(relations) < len(tables) or any(relation.children for relation in relations):
            relations = list(knowledge.catalogue.relations.values())
    return all(
        relation.index_extensions <= EXTENSIONS and expressions_write_nothing(knowledge, relation.expressions)
        for relation in relations
    )


def _definition(knowledge: Knowledge | None, context: Context, node: ast.Node) -> Statement:
    """DDL and grants whose reach depends on their object."""
    if isinstance(node, ast.CreateStmt):
        return _create_table(knowledge, context, node)
    if isinstance(node, ast.DropStmt):
        return Statement("drop", "utility", reach=DDL, commits_itself=bool(node.concurrent))
    if isinstance(node, ast.AlterTableStmt):
        quiet = knowledge is not None and _alters_quietly(knowledge, context, node)
        return Statement("alter table", "utility", reach=DDL if quiet else UNKNOWN)
    if isinstance(node, ast.GrantStmt):
        shared = node.objtype in _SHARED_OBJECTS
        verb = "grant" if node.is_grant else "revoke"
        return Statement(verb, "utility", reach=SHARED_DDL if shared else DDL)
    if isinstance(node, ast.RenameStmt):
        shared = node.renameType in _SHARED_OBJECTS
        return Statement("alter", "utility", reach=SHARED_DDL if shared else DDL)
    if isinstance(node, ast.AlterOwnerStmt):
        shared = node.objectType in _SHARED_OBJECTS
        return Statement("alter", "utility", reach=SHARED_DDL if shared else DDL)
    return UNKNOWN_STATEMENT


def _alters_quietly(knowledge: Knowledge, context: Context, node: ast.AlterTableStmt) -> bool:
    """Do the expressions in the command, and those that a rewrite of the table evaluates, write nothing?"""
    commands: tuple[ast.Node, ...] = node.cmds or ()
    return all(tree_writes_nothing(knowledge, command, context.path) for command in commands) and (
        _expressions_are_quiet(knowledge, context, [node.relation])
    )


def _create_table(knowledge: Knowledge | None, context: Context, node: ast.CreateStmt) -> Statement:
    if is_temporary(node.relation):
        # Seen by this session alone; but it may inherit from a permanent one, or shadow one.
        return Statement("create table", "utility", temporary=True)
    # The bounds of a partition are computed on the spot; defaults and checks are not.
    bound = node.partbound
    quiet = bound is None or (knowledge is not None and tree_writes_nothing(knowledge, bound, context.path))
    return Statement("create table", "utility", reach=DDL if quiet else UNKNOWN)


def _is_in_temporary_schema(node: ast.Node) -> bool:
    """May what it makes be seen by this session alone, and before all else of its name?"""
    if isinstance(node, ast.ViewStmt):
        return is_temporary(node.view)
    if isinstance(node, ast.CreateSeqStmt):
        return is_temporary(node.sequence)
    return _TEMPORARY_SCHEMA in repr(node(skip_none=True))


# An alias for the session's own temporary schema, which also goes by its full name: pg_temp_3.
# Source: PostgreSQL docs, runtime-config-client, "search_path"; catalog/namespace.c.
_TEMPORARY_SCHEMA: Final = "pg_temp"


def is_temporary(relation: ast.RangeVar | None) -> bool:
    """Does the name speak of a temporary relation?"""
    if relation is None:
        return False
    return relation.relpersistence == "t" or (relation.schemaname or "").startswith(_TEMPORARY_SCHEMA)
