"""The stages of a Dockerfile."""

from __future__ import annotations

from deploy.dockerfile import stages


def test_named_stages_are_found_in_their_order() -> None:
    text = (
        "ARG BASE_IMAGE=python:3.12\n"
        "FROM ${BASE_IMAGE} AS build\nRUN true\n"
        "from --platform=linux/amd64 scratch as Cache\n"
        "FROM \\\n  build \\\n  AS api\n"
        "FROM build\n"
        "# FROM x AS commented\n"
        "RUN echo 'FROM x AS quoted'\n"
    )
    assert stages(text) == ["build", "cache", "api"]
