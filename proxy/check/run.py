"""The whole check, in order, until something stands in the way."""

from __future__ import annotations

from typing import Final

import asyncpg

from proxy.check.findings import Finding, Report
from proxy.check.questions import ask, log_in
from proxy.check.verdict import judge
from proxy.check.way import explore
from proxy.origin_url import OriginUrl

# SQLSTATE -> what it means here. PostgreSQL docs, errcodes-appendix, "PostgreSQL Error Codes".
_REFUSALS: Final = {
    "28P01": "the password of {user} is wrong or missing, or the role does not exist",
    "28000": "{user} may not log in from here",
    "3D000": "the database {database} does not exist",
    "42501": "{user} has no right to connect to {database}",
    "53300": "the origin takes no more connections",
    "57P03": "the origin is starting up or shutting down",
}


async def examine(url: OriginUrl) -> Report:
    """Check one origin; every wait is bounded. ConfigurationError: a file it names cannot be used."""
    way = await explore(url)
    if not way.is_open:
        return Report(str(url), way.findings)
    try:
        connection = await log_in(url, way.context)
        try:
            facts = await ask(connection)
        finally:
            connection.terminate()
    except asyncpg.TargetServerAttributeNotMatched:
        sentence = f"the session is not what target_session_attrs={url.target_session_attrs} asks for"
        return Report(str(url), (*way.findings, Finding("login", "bad", sentence)))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        return Report(str(url), (*way.findings, Finding("login", "bad", _why(error, url))))
    findings, freshness = judge(facts)
    login = Finding("login", "good", f"as {url.user} to {url.database}{_binding(url)}")
    return Report(str(url), (*way.findings, login, *findings), freshness)


def _binding(url: OriginUrl) -> str:
    """asyncpg, which asks for us, knows no SCRAM-SHA-256-PLUS."""
    required = url.channel_binding == "require"
    return "; this check did not bind the channel, the proxy will" if required else ""


def _why(error: Exception, url: OriginUrl) -> str:
    state = getattr(error, "sqlstate", None)
    if state in _REFUSALS:
        return f"{_REFUSALS[state].format(user=url.user, database=url.database)} ({state})"
    if isinstance(error, asyncpg.PostgresError):
        return f"the origin refused: {error.message} ({state})"
    if isinstance(error, TimeoutError):
        return "the origin did not answer in time"
    return "the connection was lost, or the origin does not speak PostgreSQL's protocol"
