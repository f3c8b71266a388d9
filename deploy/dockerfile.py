"""The stages that a Dockerfile names: a manifest's target must be one of them."""

from __future__ import annotations

import re
from typing import Final

# Source: Docker docs, reference/dockerfile, "FROM".
_FROM: Final = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*\S+\s+AS\s+(\S+)\s*$", re.IGNORECASE | re.MULTILINE)


def stages(text: str) -> list[str]:
    """The names of all stages, in their order, as they compare: in lower case."""
    return [name.lower() for name in _FROM.findall(text.replace("\\\n", " "))]
