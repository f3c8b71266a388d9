"""The stand-in of Koyeb's API: as small as it says, and strict where it says so."""

from __future__ import annotations

import httpx
import pytest

from deploy.standin import LIFE, StandIn

TOKEN = {"Authorization": "Bearer x"}


def test_a_deployment_goes_one_status_further_each_time() -> None:
    with StandIn({"api": "ERROR"}) as api, httpx.Client(base_url=api.url, headers=TOKEN) as client:
        body = {"app": {"name": "planets"}, "services": [{"definition": {"name": "api"}}]}
        made = client.post("/v1/compose", json=body).json()
        assert made["app"]["name"] == "planets"
        where = f"/v1/deployments/{made['services'][0]['latest_deployment_id']}"
        seen = [client.get(where).json()["deployment"]["status"] for _ in range(len(LIFE) + 2)]
    assert seen == [*LIFE, "ERROR", "ERROR"]
    assert api.received == body


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/v1/compose", {}, 401),
        ("GET", "/v1/deployments/deployment-0", {}, 401),
        ("POST", "/v1/compose", TOKEN, 400),
        ("POST", "/v1/apps", TOKEN, 400),
        ("GET", "/v1/deployments/deployment-0", TOKEN, 404),
    ],
)
def test_what_is_wrong_is_refused(method: str, path: str, headers: dict[str, str], status: int) -> None:
    with StandIn() as api:
        answer = httpx.request(method, api.url + path, headers=headers, content=b"no JSON")
    assert answer.status_code == status
    assert answer.json()["status"] == status
