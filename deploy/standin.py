"""A stand-in of Koyeb's API on a loopback port, just large enough for ``koyeb compose``.

It is no Koyeb: it checks that there is a token and that the body is JSON, nothing else; it asks for no
Content-Type (the SDK 1.5.5 sends none with POST /v1/compose, the CLI does); a deployment goes one status
further each time it is asked about, and ends as ``outcomes`` tells by the name of its service, else HEALTHY.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self, final

from deploy.document import Value

HOST: Final = "127.0.0.1"
LIFE: Final = ("PENDING", "PROVISIONING", "SCHEDULED", "ALLOCATING", "STARTING")
_MAX_BODY_BYTES: Final = 1 << 20


@final
class StandIn:
    """A running stand-in; ``received`` is the last body of POST /v1/compose."""

    def __init__(self, outcomes: Mapping[str, str] | None = None) -> None:
        self.received: Value = None
        self._outcomes = dict(outcomes or {})
        self._names: dict[str, str] = {}
        self._asked: dict[str, int] = {}
        self._server = ThreadingHTTPServer((HOST, 0), type("Handler", (_Handler,), {"place": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="stand-in")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def compose(self, body: dict[str, Value]) -> Value:
        """Take a manifest; the app and its services with their first deployments."""
        self.received = body
        app, services = body.get("app"), body.get("services")
        made: list[Value] = []
        for number, service in enumerate(services if isinstance(services, list) else []):
            definition = service.get("definition") if isinstance(service, dict) else None
            name = str(definition.get("name")) if isinstance(definition, dict) else ""
            self._names[f"deployment-{number}"] = name
            made.append(
                {"id": f"service-{number}", "name": name, "latest_deployment_id": f"deployment-{number}"}
            )
        name_of_app = app.get("name") if isinstance(app, dict) else None
        return {"app": {"id": "app-0", "name": name_of_app}, "services": made}

    def deployment(self, identity: str) -> Value:
        """The deployment, one status further than when it was asked about before; None: there is none."""
        if identity not in self._names:
            return None
        asked = self._asked[identity] = self._asked.get(identity, -1) + 1
        outcome = self._outcomes.get(self._names[identity], "HEALTHY")
        status = LIFE[asked] if asked < len(LIFE) else outcome
        return {"deployment": {"id": identity, "status": status}}


class _Handler(BaseHTTPRequestHandler):
    """Hands what was asked to the ``place`` that a subclass names."""

    place: StandIn

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(min(length, _MAX_BODY_BYTES))
        if not self._may_enter():
            return
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if self.path != "/v1/compose" or not isinstance(body, dict):
            self._refuse(400, "invalid_argument")
        else:
            self._answer(200, self.place.compose(body))

    def do_GET(self) -> None:
        if self._may_enter():
            found = self.place.deployment(self.path.removeprefix("/v1/deployments/"))
            if found is None:
                self._refuse(404, "not_found")
            else:
                self._answer(200, found)

    def _may_enter(self) -> bool:
        if self.headers.get("Authorization", "").startswith("Bearer "):
            return True
        self._refuse(401, "unauthorized")
        return False

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, {"status": status, "code": code, "message": code})

    def _answer(self, status: int, body: Value) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing: the caller tells what happened."""
