"""What a check found, a sentence each, and the report made of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Literal

_MARKS: Final = {"good": "ok  ", "note": "note", "bad": "FAIL"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found out. ``bad``: the proxy cannot work. No sentence holds a secret."""

    name: str
    verdict: Literal["good", "note", "bad"]
    sentence: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """The level that ``--freshness auto`` gives here, and what would raise it."""

    level: str
    why: str
    raise_by: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole check of one origin; ``freshness`` is None where it did not come so far."""

    origin: str
    findings: tuple[Finding, ...]
    freshness: Freshness | None = None

    @property
    def works(self) -> bool:
        """Whether nothing stands in the way."""
        return self.freshness is not None and all(finding.verdict != "bad" for finding in self.findings)

    def as_text(self) -> str:
        """One line each: a mark, the subject, the sentence."""
        lines = [f"{_MARKS[each.verdict]}  {each.name}: {each.sentence}" for each in self.findings]
        if self.freshness:
            level = self.freshness
            lines.append(f"ok    freshness: {level.level}, {level.why}; {level.raise_by}")
        verdict = "the proxy can work before" if self.works else "the proxy cannot work before"
        return "\n".join([*lines, f"{verdict} {self.origin}"])

    def as_json(self) -> str:
        """The same as one JSON object."""
        return json.dumps({"works": self.works, **asdict(self)}, indent=2)
