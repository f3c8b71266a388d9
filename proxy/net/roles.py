"""Who may log in to the proxy, and by what they are
known: the origin's roles, the URL's user, the users file.

The origin's own word comes first, so that a changed password or NOLOGIN counts here as it does there.
Source: PostgreSQL docs, catalog-pg-authid.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from proxy.errors import OriginUnreachable
from proxy.net.questions import FAILURES, Connection
from proxy.schema.names import MAX_NAME_BYTES
from proxy.session.credentials import Credential, Md5Stored, PasswordKnown, ScramStored
from proxy.wire.passwords import make_secret, mock_secret, parse_secret

logger = logging.getLogger(__name__)

_AUTHID: Final = """SELECT rolpassword, pg_catalog.date_part('epoch', rolvaliduntil), rolcanlogin
 FROM pg_catalog.pg_authid WHERE rolname OPERATOR(pg_catalog.=) $1"""
_READABLE: Final = "SELECT pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'select')"
_MAX_KNOWN: Final = 10_000  # roles kept; the least recently used is asked for again
_ASK_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Known:
    """A role as somebody stores it. ``credential`` None:
    it has no password. ``valid_until``: unix seconds.
    """

    credential: Credential | None
    valid_until: float | None = None
    can_login: bool = True

    def is_valid(self) -> bool:
        """Not when VALID UNTIL has passed; compared at every login."""
        return self.valid_until is None or time.time() < self.valid_until


class Roles:
    """``auth_query``: auto, off, or a query with one
    parameter; ``connect`` opens the connection that asks it.
    """

    def __init__(
        self, user: str, password: str | None, auth_query: str, connect: Callable[[], Awaitable[Connection]]
    ) -> None:
        self.user = user
        self._url_credential = known_password(password) if password is not None else None
        self._auth_query = auth_query
        self._connect = connect
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._mock_key = os.urandom(32)
        self._file: dict[str, Credential] = {}
        self._known: OrderedDict[str, Known] = OrderedDict()
        self.trusts_memory = True  # False: what was found is about to change
        self._query = "" if auth_query in ("auto", "off") else auth_query

    def take_users(self, users: Mapping[str, str]) -> None:
        """The users file, read anew: names to passwords or stored secrets."""
        self._file = {name: stored(secret) or known_password(secret) for name, secret in users.items()}

    def forget(self) -> None:
        """Roles, passwords or memberships changed: everything is asked for again."""
        self._known.clear()

    async def find(self, user: str) -> Known:
        """What ``user`` has to prove. An unknown user gets something that nobody can prove.

        Raises ``OriginUnreachable`` where only the origin could tell and it does not answer.
        """
        found = self._known.get(user) if self.trusts_memory else None
        if found is None and self._auth_query != "off" and _may_exist(user):
            found = await self._ask(user)
        if found is not None:
            return found
        credential = self._file.get(user)
        if credential is None and user == self.user:
            if self._url_credential is None:
                return Known(None)
            credential = self._url_credential
        return Known(credential) if credential is not None else self._unknown(user)

    def _unknown(self, user: str) -> Known:
        return Known(ScramStored(mock_secret(user, self._mock_key)))

    async def _ask(self, user: str) -> Known | None:
        try:
            async with self._lock, asyncio.timeout(_ASK_SECONDS):
                row = await self._row(user)
        except FAILURES as fault:
            self.close()
            if user in self._file or (user == self.user and self._url_credential is not None):
                return None
            raise OriginUnreachable(
                f"the origin could not be asked about this user: {type(fault).__name__}"
            ) from None
        if row is None:
            return None
        known = _from_row(row)
        self._known[user] = known
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)
        return known

    async def _row(self, user: str) -> tuple[object, ...] | None:
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = self._connection = await self._connect()
            if self._auth_query == "auto":
                self._query = _AUTHID if await connection.fetchval(_READABLE) else ""
                logger.info(
                    "event=auth_query roles=%s", "origin" if self._query else "url and users file only"
                )
        if not self._query:
            return None
        row = await connection.fetchrow(self._query, user)
        return None if row is None else tuple(row)

    def close(self) -> None:
        """Drop the connection that asks."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _may_exist(user: str) -> bool:
    """Can this be a role's name at all? A senseless question would cost the connection that asks."""
    try:
        return len(user.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:
        return False


def _from_row(row: tuple[object, ...]) -> Known:
    """From pg_authid (secret, valid until, may log in) or from an operator's own query (name, secret)."""
    if len(row) == 3:
        secret, valid_until, can_login = row
        until = float(valid_until) if isinstance(valid_until, float) else None
    else:
        secret, until, can_login = row[1] if len(row) > 1 else None, None, True
    credential = stored(secret) if isinstance(secret, str) else None
    return Known(credential, until, bool(can_login))


def stored(secret: str) -> Credential | None:
    """A secret in one of the forms that PostgreSQL stores; None for anything else."""
    scram = parse_secret(secret)
    if scram is not None:
        return ScramStored(scram)
    if secret.startswith("md5") and len(secret) == 35:
        return Md5Stored(secret)
    return None


def known_password(password: str) -> PasswordKnown:
    """A password that stands in our configuration; its SCRAM secret is derived once, here."""
    return PasswordKnown(password, make_secret(password, os.urandom(16)))
