"""Why a statement was not answered from memory: every one-word reason, in one table for operators."""

from __future__ import annotations

from typing import Final, NamedTuple


class Reason(NamedTuple):
    """``meaning``: what was seen. ``remedy``: what would make such a statement cacheable."""

    meaning: str
    remedy: str


_NEVER: Final = "Nothing: it has to reach PostgreSQL."

REASONS: Final[dict[str, Reason]] = {
    # The statement itself
    "write": Reason("The statement changes rows.", _NEVER),
    "utility": Reason("The statement is a command, not a query.", _NEVER),
    "copy": Reason("COPY streams rows and is not remembered.", "Read with SELECT."),
    "cursor": Reason("The statement opens or moves a cursor.", "Read with a plain SELECT."),
    "prepared": Reason("SQL-level PREPARE or EXECUTE.", "Let the driver prepare it through the protocol."),
    "into": Reason("SELECT INTO creates a table.", _NEVER),
    "locking": Reason("FOR UPDATE or FOR SHARE locks rows.", "Leave the locking clause away."),
    "sample": Reason("TABLESAMPLE gives other rows each time.", "Read the whole table."),
    "several": Reason("The text holds several statements.", "Send them one by one."),
    "empty": Reason("The text holds no statement.", _NEVER),
    "unparsable": Reason(
        "PostgreSQL's grammar, as this proxy carries it, refuses the text.", "Correct the text."
    ),
    "unsupported": Reason("The text uses grammar that no rule admits yet.", "Say it with plainer grammar."),
    "size": Reason("The text is longer than the parser's limit.", "Pass lists as one array parameter."),
    "version": Reason("The text uses grammar newer than the server.", "Upgrade the server."),
    # What it reads
    "tableless": Reason("The query reads no table: it may be a ping.", "Turn on --local-ping for SELECT 1."),
    "system": Reason("The query reads the system catalogue.", _NEVER),
    "temporary": Reason("A temporary table is involved.", "Use a permanent table."),
    "foreign": Reason("A foreign table, or a foreign partition, is read.", "Import the rows."),
    "sequence": Reason("A sequence is read as a table.", _NEVER),
    "matview": Reason("A materialised view is read.", "Read the view behind it."),
    "relation": Reason("A relation of a kind that is not remembered is read.", "Use a heap table."),
    "view": Reason("A view's definition could not be read or proven.", "Read its tables directly."),
    "depth": Reason("Views stand too deep within each other.", "Read the inner view."),
    "rls": Reason("Row-level security holds on a table.", "Read a table without policies."),
    "never": Reason("--never-cache names a relation that is read.", "Change --never-cache."),
    "column": Reason("A system column moves with every write.", "Do not select ctid, xmin and their like."),
    "unresolved": Reason(
        "A table, column or function name is not in the catalogue.",
        "Wait for the next check of the catalogue, or qualify the name.",
    ),
    # What it computes
    "time": Reason("The query asks for the current time.", "Pass the time as a parameter."),
    "keyword": Reason(
        "The query asks for the current user, role, schema or catalogue.", "Pass it as a parameter."
    ),
    "date": Reason(
        "A text such as 'now' may be read as a date, or a time depends on today's time zone.",
        "Pass a full date; avoid time with time zone and casts of text columns to dates.",
    ),
    "volatile": Reason("A VOLATILE built-in function is called.", "Leave the call away."),
    "stable": Reason("A STABLE built-in function depends on more than settings.", "Leave the call away."),
    "function": Reason("A user-made function may be called.", "Write it out with built-in functions."),
    "operator": Reason("A user-made or unknown operator may be used.", "Use built-in operators and types."),
    "cast": Reason("A user-made cast may be used.", "Cast to a built-in type."),
    "type": Reason("A type is user-made, has checks, or could not be inferred.", "Cast to a built-in type."),
    "regtype": Reason("regclass and its like print names of the catalogue.", "Do not select them."),
    # The session and its moment
    "settings": Reason("A setting changes what SQL means here.", "Return the setting to its default."),
    "encoding": Reason(
        "The text is in an encoding that the parser here misreads.", "SET client_encoding = UTF8."
    ),
    "unknown": Reason("Nobody can say what the message does.", _NEVER),
    "catalogue": Reason("The catalogue is not read yet, or is being read again.", "Wait a moment."),
    "transaction": Reason("The transaction has written.", "Read before it writes, or outside of it."),
    "isolation": Reason(
        "The transaction reads one snapshot (REPEATABLE READ, SERIALIZABLE).", "Read at READ COMMITTED."
    ),
    "failed": Reason("The transaction has failed.", "ROLLBACK."),
    "locked": Reason("The session may hold an explicit lock.", "Release the lock."),
    "doubt": Reason(
        "The session's settings or role may have changed unseen.", "Send DISCARD ALL or RESET ALL."
    ),
    "pipeline": Reason("Something before it in the pipeline is not answered yet.", "Send Sync in between."),
    "form": Reason(
        "The statement was prepared before a table that it names got other columns.", "Prepare it again."
    ),
    "portal": Reason("A row limit, or not the first Execute of a portal.", "Fetch all rows at once."),
    "suspended": Reason("A write to what it reads is on its way.", "Wait for the write."),
    "moved": Reason("Something that it reads changed while it was fetched.", "Ask again."),
    "notice": Reason("The answer came with a notice.", "Mend what the notice speaks of."),
    "lease": Reason("The server has not been heard of in time.", "See whether the server is up."),
    "off": Reason(
        "The memory is switched off, for all or for this session.", "SET orrery.cache = on, or --cache on."
    ),
}
