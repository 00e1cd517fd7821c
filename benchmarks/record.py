"""Results of benchmarks as JSON, one file per script, each claim beside its limit."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Claim:
    """One measured number and the limit it has to keep.

    Attributes:
        what: What was measured, in words.
        value: The measured number.
        unit: Its unit.
        limit: The bound, in the same unit; None where there is nothing to keep.
        at_most: Whether the limit is an upper one.
    """

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_most: bool = True

    @property
    def kept(self) -> bool:
        """Whether the number keeps its limit."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.at_most else self.value >= self.limit


def record(name: str, claims: list[Claim]) -> bool:
    """Print the claims, write them to ``benchmarks/results/<name>.json``, say whether all hold."""
    RESULTS.mkdir(exist_ok=True)
    for claim in claims:
        sign = "≤" if claim.at_most else "≥"
        bound = "" if claim.limit is None else f" (limit {sign} {claim.limit:g})"
        verdict = "ok" if claim.kept else "NOT KEPT"
        print(f"{verdict:8} {claim.what}: {claim.value:.4g} {claim.unit}{bound}")
    document = {
        "name": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
            "tenure": version("tenure"),
        },
        "claims": [asdict(claim) | {"kept": claim.kept} for claim in claims],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    return all(claim.kept for claim in claims)
