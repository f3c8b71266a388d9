"""Plays a manifest as ``koyeb compose`` does, with Koyeb's own SDK, against whatever API the URL leads to.

Source of the sequence: koyeb-cli, pkg/koyeb/compose.go: one POST, then each service's deployment is asked
about until it has come to an end; only HEALTHY is success.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from koyeb.api import ApiClient, Configuration
from koyeb.api.api.compose_api import ComposeApi
from koyeb.api.api.deployments_api import DeploymentsApi
from koyeb.api.exceptions import OpenApiException
from koyeb.api.models.create_compose import CreateCompose

from deploy.document import Value

HEALTHY: Final = "HEALTHY"
ENDS: Final = frozenset({HEALTHY, "DEGRADED", "UNHEALTHY", "CANCELED", "STOPPED", "ERROR"})
# The models fill this in where a definition says nothing.
_FILLED_IN: Final = ("mesh", "DEPLOYMENT_MESH_AUTO")


class RehearsalFailed(Exception):
    """The API refused, lost something on the way, or never came to an end; the message says which."""


@dataclass(frozen=True, slots=True)
class Played:
    """One service: the statuses that its deployment went through, each told once."""

    service: str
    statuses: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Did it come up?"""
        return self.statuses[-1:] == (HEALTHY,)


def play(tree: Value, url: str, token: str, *, pause_seconds: float, attempts: int) -> list[Played]:
    """Send the manifest and follow every deployment, asking at most ``attempts`` times. RehearsalFailed."""
    configuration = Configuration(host=url)
    configuration.api_key["Bearer"], configuration.api_key_prefix["Bearer"] = token, "Bearer"
    try:
        with ApiClient(configuration) as client:
            reply = ComposeApi(client).compose(CreateCompose.from_dict(tree))
            deployments = DeploymentsApi(client)
            return [
                Played(
                    service.name,
                    tuple(_life(deployments, service.latest_deployment_id, pause_seconds, attempts)),
                )
                for service in reply.services or ()
            ]
    except OpenApiException as error:
        raise RehearsalFailed(f"the API refused: {str(error).strip().splitlines()[0]}") from error


def same(sent: Value, received: Value) -> bool:
    """Did all of the manifest arrive, and nothing but it? What the models fill in does not count."""
    return _without_defaults(received, sent) == sent


def _life(deployments: DeploymentsApi, identity: str, pause_seconds: float, attempts: int) -> Iterator[str]:
    last = ""
    for _ in range(attempts):
        status = str(deployments.get_deployment(identity).deployment.status.value)
        if status != last:
            yield status
        if status in ENDS:
            return
        last = status
        time.sleep(pause_seconds)
    raise RehearsalFailed(f"after {attempts} questions the deployment is still {last}")


def _without_defaults(received: Value, sent: Value) -> Value:
    if isinstance(received, dict):
        known = sent if isinstance(sent, dict) else {}
        return {
            key: _without_defaults(value, known.get(key))
            for key, value in received.items()
            if (key, value) != _FILLED_IN or key in known
        }
    if isinstance(received, list):
        beside = sent if isinstance(sent, list) else []
        return [
            _without_defaults(value, beside[index] if index < len(beside) else None)
            for index, value in enumerate(received)
        ]
    return received
