"""A server of this folder's own, as the integration tests have one."""

from __future__ import annotations

from tests.integration.conftest import cluster

__all__ = ["cluster"]
