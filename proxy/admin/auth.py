"""Who may look through the window and press its button, decided from one request's headers.

The rule, in order:
1. what a browser marks as coming from another site, or sends with a foreign Origin, is refused;
2. ``/live`` and ``/ready`` tell nothing and are open to all others (probes know no token);
3. with a token set, ``Authorization: Bearer`` must carry it; any Host will then do, as no page knows it;
4. without one, only a loopback address is open, and only under a Host that is an address, ``localhost`` or
   the name it was configured with: a page that rebinds its own name to 127.0.0.1 still sends that name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OPEN_PATHS: Final = frozenset({"/live", "/ready"})
_OWN_SITE: Final = ("same-origin", "none")  # none: the user typed the address


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP status and why."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Guard:
    """The rule for one admin address. ``host`` is the name it was configured with."""

    host: str
    is_loopback: bool
    token: str | None = field(default=None, repr=False)

    def refusal(self, path: str, headers: Mapping[str, str]) -> Refusal | None:
        """Judge a request by its path and its headers (names in lower case); None lets it in."""
        if _from_another_site(headers):
            return Refusal(403, "requests from other sites are refused")
        if path in OPEN_PATHS:
            return None
        if self.token is not None:
            return None if self._bears_token(headers) else Refusal(401, "the admin token is missing or wrong")
        if not self.is_loopback:
            return Refusal(401, "set ORRERY_ADMIN_TOKEN to open an address that others can reach")
        if not self._knows(headers.get("host", "")):
            return Refusal(403, "the Host header names another host")
        return None

    def _bears_token(self, headers: Mapping[str, str]) -> bool:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        given = credentials.strip().encode()
        return scheme.lower() == "bearer" and compare_digest(given, (self.token or "").encode())

    def _knows(self, host: str) -> bool:
        name = _without_port(host)
        return name in ("localhost", self.host.lower()) or _is_address(name)


def _from_another_site(headers: Mapping[str, str]) -> bool:
    if headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        return True
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
