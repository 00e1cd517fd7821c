"""How often the outcomes of the same past prediction times were used to choose a model.

``models/<target>/contests.jsonl`` has a line for every contest that decided on a champion or
refused one; which recipes were tested is read from the published bundles.  Whatever is chosen as
the best of many on the same rows looks better there than it is.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tenure.core.files import locked, write_text
from tenure.core.records.promotion import PastUses
from tenure.core.times import as_utc
from tenure.model.registry.published import published_bundles

FILE = "contests.jsonl"


@dataclass(frozen=True)
class Contest:
    """Two bundles that were compared on the same past rows."""

    champion: str
    challenger: str
    first: str
    """The first prediction time of the rows."""
    last: str


def note_contest(root: Path, target: str, contest: Contest) -> None:
    """Add a contest to a target's ledger; the same one again is no other."""
    home = Path(root) / target
    with locked(home):
        contests = _contests(home)
        if contest not in contests:
            lines = (json.dumps(asdict(item), sort_keys=True) for item in (*contests, contest))
            write_text(home / FILE, "".join(f"{line}\n" for line in lines))


def past_uses(
    root: Path, target: str, first: str, last: str, contest: Contest | None = None
) -> PastUses:
    """Return how often the outcomes of some prediction times have been used, in part or whole.

    `first` and `last` bound the prediction times; a `contest` that is decided now counts, too.
    """
    contests = {item for item in (*_contests(Path(root) / target), contest) if item is not None}
    tested = {
        item.recipe or item.version
        for item in published_bundles(root, target)
        if item.tested and _overlap(*item.tested, first, last)
    }
    decided = sum(_overlap(item.first, item.last, first, last) for item in contests)
    return PastUses(first=first, last=last, contests=decided, recipes=len(tested))


def _overlap(begins: str, ends: str, first: str, last: str) -> bool:
    return as_utc(begins) <= as_utc(last) and as_utc(first) <= as_utc(ends)


def _contests(home: Path) -> list[Contest]:
    path = home / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [Contest(**json.loads(line)) for line in lines if line]
