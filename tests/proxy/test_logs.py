"""The log's two forms."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from proxy import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Give the root logger back as it was: pytest listens there."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    root.handlers = handlers
    root.setLevel(level)


def test_text_is_one_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    logging.getLogger("proxy.net.client").info("client=%d left=%s", 17, "a\nb")
    logging.getLogger("uvicorn.error").info("Started")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Z INFO proxy.net.client client=17 left=a\\nb")


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("proxy.service").exception('said "%s"', "x\ny")
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["level"], event["logger"], event["message"]) == ("error", "proxy.service", 'said "x\ny"')
    assert "ValueError: no" in event["exception"]
