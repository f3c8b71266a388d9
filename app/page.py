"""The page at ``/``: what this is, for a person with a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_PAGE: Final = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
# The page is whole in itself: nothing else may load, and its script may speak to this application only.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
)


@router.get("/")
async def page() -> HTMLResponse:
    """The same bytes for everybody."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})
