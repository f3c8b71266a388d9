"""What a service is told: each rule, by a mistake planted into the project's own manifest."""

from __future__ import annotations

import pytest

from deploy.document import read
from deploy.rules.environment import secrets
from tests.deploy.planted import MANIFEST, planted, said

CACHE = "services[0].definition"
LISTEN = '{key: ORRERY_LISTEN, value: "0.0.0.0:5432"}'
ORIGIN = "{{ secret.planets-database-url }}"


def test_a_variable_has_a_name_and_one_value() -> None:
    assert (
        said(LISTEN, '{key: "MY-NAME", value: "1"}')
        == f"{CACHE}.env[1].key: MY-NAME is no name of a variable"
    )
    assert said(LISTEN, '{value: "1"}') == f"{CACHE}.env[1].key: the key is missing"
    assert (
        said(LISTEN, "{key: ORRERY_LISTEN}") == f"{CACHE}.env[1]: exactly one of value and secret is expected"
    )


def test_a_variable_stands_once_in_each_region() -> None:
    assert (
        said(LISTEN, '{key: ORRERY_TTL_CAP, value: "5"}')
        == f"{CACHE}.env[3].key: ORRERY_TTL_CAP stands here twice"
    )
    scoped = (
        '{key: A, value: "1", scopes: ["region:was"]}\n        - {key: A, value: "2", scopes: ["region:fra"]}'
    )
    assert planted(LISTEN, scoped) == []


def test_a_value_is_text() -> None:
    reason = said('value: "60"', "value: 60")
    assert reason == f"{CACHE}.env[3].value: text is expected, not a number (in quotes it would be text)"
    assert "not true or false (in quotes" in said(LISTEN, "{key: A, value: on}")


def test_an_unknown_setting_of_the_proxy_is_told_before_it_stops_the_start() -> None:
    assert said("ORRERY_TTL_CAP", "ORRERY_TTLCAP") == (
        f"{CACHE}.env[3].key: ORRERY_TTLCAP is no setting of the proxy: did you mean ORRERY_TTL_CAP?"
    )


@pytest.mark.parametrize("name", ["Planets", "planets_url", "-x"])
def test_a_secret_has_a_name_that_there_can_be(name: str) -> None:
    assert said(ORIGIN, f"{{{{ secret.{name} }}}}") == (
        f"{CACHE}.env[0].value: {name} is no name of a secret: lower case and dashes are"
    )


def test_a_reference_is_closed() -> None:
    found = planted(ORIGIN, "{{ secret.planets-database-url }")
    assert any("a reference is not closed" in each for each in found)


@pytest.mark.parametrize(
    "variable",
    [
        '{key: ORRERY_ORIGIN, value: "postgresql://ada:hunter2@db.example.com/planets"}',
        '{key: OTHER, value: "postgresql://ada:hunter2@db.example.com/planets"}',
        '{key: OTHER, value: "host=db user=ada password=hunter2"}',
        '{key: ORRERY_ADMIN_TOKEN, value: "hunter2"}',
        '{key: PGPASSWORD, value: "hunter2"}',
        '{key: DATABASE_URL, value: "postgresql://db.example.com/planets"}',
    ],
)
def test_credentials_do_not_stand_in_a_manifest_and_are_not_repeated(variable: str) -> None:
    reason = said(
        LISTEN if "ORRERY_ORIGIN" not in variable else f'{{key: ORRERY_ORIGIN, value: "{ORIGIN}"}}', variable
    )
    assert reason.endswith("holds credentials: create a secret and write {{ secret.NAME }} in their place")
    assert "hunter2" not in reason


@pytest.mark.parametrize(
    ("policies", "place"),
    [
        ('basic_auths: [{username: ada, password: "hunter2"}]', "basic_auths[0].password"),
        ('api_keys: ["hunter2"]', "api_keys[0]"),
    ],
)
def test_a_route_is_guarded_by_references_only(policies: str, place: str) -> None:
    api = "services[1].definition.routes[0].security_policies"
    route = "{path: /, port: 8000, security_policies: {POLICIES}}"
    reason = said("{path: /, port: 8000}", route.replace("POLICIES", policies))
    assert reason.startswith(f"{api}.{place}: this holds credentials")
    guarded = policies.replace("hunter2", "{{ secret.door }}")
    assert planted("{path: /, port: 8000}", route.replace("POLICIES", guarded)) == []


def test_a_password_by_reference_inside_a_url_is_none() -> None:
    url = "postgresql://{{ secret.pg-user }}:{{ secret.pg-password }}@cache.planets.internal:5432/planets"
    assert planted("{{ secret.planets-cache-url }}", url) == []


def test_a_dollar_sign_is_refused_in_comments_too() -> None:
    line = (
        MANIFEST.splitlines().index(
            "  # The planets API. It knows nothing of the cache but the host in its DATABASE_URL."
        )
        + 1
    )
    found = planted("The planets API. It", "The $PLANETS API. It")
    assert found == [f"{line}: a dollar sign: the CLI would expand it, in comments too"]


def test_all_secrets_are_listed() -> None:
    assert secrets(read(MANIFEST).root) == ["planets-cache-url", "planets-database-url"]
    named = MANIFEST.replace('value: "{{ secret.planets-cache-url }}"', "secret: other")
    assert secrets(read(named).root) == ["other", "planets-database-url"]
