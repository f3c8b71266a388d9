"""From facts to findings and to the level of freshness that follows. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.check.findings import Finding, Freshness

if TYPE_CHECKING:
    from proxy.check.questions import Facts

_OLDEST: Final = 13_00_00  # pg_current_xact_id_if_assigned() came with it
_TESTED: Final = range(15_00_00, 19_00_00)

# Extensions that write on their own or carry writes in; by what they do, for the sentence.
_WRITERS: Final = {
    "pg_cron": "runs scheduled statements",
    "pgagent": "runs scheduled statements",
    "pg_timetable": "runs scheduled statements",
    "timescaledb": "has background workers that write",
    "pg_partman": "has a background worker that makes and drops partitions",
    "pglogical": "applies changes of other servers",
    "bdr": "applies changes of other servers",
    "citus": "spreads tables over other servers",
    "dblink": "reaches other servers",
    "postgres_fdw": "reaches other servers",
}


def judge(facts: Facts) -> tuple[list[Finding], Freshness]:
    """Say what ``facts`` mean, and which level ``--freshness auto`` gives."""
    pooler = _pooler(facts)
    against = _against_wire(facts)
    findings = [
        _version(facts),
        Finding("round trip", "good", f"{facts.round_trip_ms:.2f} ms (median of 5 statements)"),
        _replica(facts),
        pooler
        or Finding("pooler", "good", "none is in front: one backend answers, under its own process id"),
        _secrets(facts),
        _activity(facts),
        *(Finding("writers", "note", f"{sentence}: it may write past the proxy") for sentence in against),
    ]
    return findings, _freshness(facts, pooler is not None, against)


def _version(facts: Facts) -> Finding:
    if facts.version_number < _OLDEST:
        return Finding(
            "server", "bad", f"PostgreSQL {facts.version} is too old: 13 is the oldest that can work"
        )
    if facts.version_number not in _TESTED:
        return Finding("server", "note", f"PostgreSQL {facts.version}; the proxy is tested with 15 to 18")
    return Finding("server", "good", f"PostgreSQL {facts.version}")


def _replica(facts: Facts) -> Finding:
    if facts.in_recovery:
        return Finding(
            "role of the server", "note", "a read replica: what it replays is not seen by the proxy"
        )
    return Finding("role of the server", "good", "a primary")


def _pooler(facts: Facts) -> Finding | None:
    if facts.is_pgpool:
        return Finding("pooler", "note", "pgpool-II is in front: one connection may be several servers")
    if len(facts.pids) > 1:
        return Finding(
            "pooler", "note", "one in transaction mode is in front: each statement met another backend"
        )
    if facts.login_pid not in facts.pids:
        return Finding(
            "pooler",
            "note",
            "one, or a provider's gateway, is in front: the process id told at login is not the backend's",
        )
    return None


def _secrets(facts: Facts) -> Finding:
    if facts.reads_secrets:
        sentence = f"{facts.user_name} may read pg_authid: every role can log in with its own password"
        return Finding("logins", "good", sentence)
    sentence = (
        f"{facts.user_name} may not read pg_authid: name other users by --users, or give --auth-query SQL"
    )
    return Finding("logins", "note", sentence)


def _activity(facts: Facts) -> Finding:
    if facts.sees_backends:
        return Finding("activity", "good", f"{facts.user_name} sees the backends of every role")
    sentence = f"{facts.user_name} sees its own backends only: GRANT pg_monitor shows all of them"
    return Finding("activity", "note", sentence)


def _against_wire(facts: Facts) -> list[str]:
    """What makes the statement "every writer comes through the proxy" doubtful, a clause each."""
    found = []
    if facts.subscriptions is None:
        found.append("subscriptions cannot be seen by this role, and one")
    elif facts.subscriptions:
        found.append(f"{facts.subscriptions} subscription(s) are applied here, each")
    found += [f"the extension {name} {_WRITERS[name]}" for name in sorted(facts.extensions & set(_WRITERS))]
    if facts.foreign_servers:
        found.append(f"{facts.foreign_servers} foreign server(s) are defined, and what is behind one")
    found += [f"a background worker ({name}) works in this database" for name in facts.workers]
    if facts.others:
        shown = ", ".join(facts.others[:5]) + (" and others" if len(facts.others) > 5 else "")
        found.append(f"another client is connected now ({shown})")
    return found


def _freshness(facts: Facts, has_pooler: bool, against: list[str]) -> Freshness:
    if facts.in_recovery:
        return Freshness("ttl", "because this is a replica", "the URL of the primary would raise it")
    if has_pooler:
        return Freshness(
            "ttl", "because process ids cannot be trusted", "the origin's direct address would raise it"
        )
    why = "because it is not known whether every writer comes through the proxy"
    if against:
        return Freshness(
            "ttl", why, "--freshness wire raises it once the writers named above come through it too"
        )
    return Freshness(
        "ttl", why, "--freshness wire raises it where that is so, and nothing seen here denies it"
    )
