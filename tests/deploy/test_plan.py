"""What button and addresses take from a manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.plan import load
from proxy.errors import ConfigurationError
from tests.deploy.planted import MANIFEST, ROOT


def test_the_plan_is_that_of_the_projects_manifest() -> None:
    plan = load(ROOT / "koyeb.yaml")
    assert (plan.app, plan.regions, plan.instance_type, plan.scale) == (
        "planets",
        ("was", "fra"),
        "micro",
        (1, 1),
    )
    assert (plan.cache_host, plan.cache_port) == ("cache.planets.internal", 5432)
    assert dict(plan.settings) == {"ORRERY_FRESHNESS": "ttl", "ORRERY_TTL_CAP": "60"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, r"cannot be read: No such file or directory \(run this where it lies"),
        ("a: [", "this is not YAML"),
        (MANIFEST.replace("routes:", "roots:"), "lacks what the button is made of: run make deploy-check"),
        (MANIFEST.replace("min: 1", "min: one"), "lacks what the button is made of: run make deploy-check"),
        ("{}", "lacks what the button is made of: run make deploy-check"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_told_in_one_sentence(
    text: str | None, reason: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "koyeb.yaml"
    if text is not None:
        manifest.write_text(text)
    with pytest.raises(ConfigurationError, match=reason):
        load(manifest)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    manifest = tmp_path / "koyeb.yaml"
    manifest.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read: it is not UTF-8"):
        load(manifest)
