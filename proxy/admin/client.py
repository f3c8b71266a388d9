"""The other end of the window: what ``orrery top`` and ``orrery purge`` ask of a running proxy."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final, cast

from proxy.errors import OrreryError

if TYPE_CHECKING:
    from proxy.admin.snapshot import QueryRow
    from proxy.metrics.catalogue import Stats
    from proxy.option_types import Address

ANSWER_SECONDS: Final = 5.0
_MAX_BYTES: Final = 64 << 20  # a proxy remembers a bounded number of templates


class WindowClosed(OrreryError):
    """The admin API did not answer, or refused."""


@dataclass(frozen=True, slots=True)
class AdminWindow:
    """One proxy's admin API; each call is a connection of its own, bounded by ``ANSWER_SECONDS``."""

    address: Address
    token: str | None = field(default=None, repr=False)

    def stats(self) -> Stats:
        """``GET /stats``."""
        return cast("Stats", self._ask("GET", "/stats"))

    def queries(self) -> list[QueryRow]:
        """``GET /queries``."""
        return cast("list[QueryRow]", self._ask("GET", "/queries"))

    def purge(self, table: str | None) -> int:
        """``POST /purge``; give how many entries were dropped."""
        body = {} if table is None else {"table": table}
        return int(cast("dict[str, int]", self._ask("POST", "/purge", body))["dropped"])

    def _ask(self, method: str, path: str, body: object = None) -> object:
        try:
            status, answer = self._exchange(method, path, body)
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it does not speak our HTTP"
            raise WindowClosed(f"no admin address at {self.address} ({reason}): is it on there?") from None
        if status == 401:
            raise WindowClosed(f"the admin address {self.address} wants the token: set ORRERY_ADMIN_TOKEN")
        if status != 200:
            told = answer.get("detail") if isinstance(answer, dict) else None
            raise WindowClosed(
                f"the admin address {self.address} answered {status}: {told or 'no reason given'}"
            )
        return answer

    def _exchange(self, method: str, path: str, body: object) -> tuple[int, object]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = HTTPConnection(self.address.host, self.address.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read(_MAX_BYTES))
        finally:
            connection.close()
