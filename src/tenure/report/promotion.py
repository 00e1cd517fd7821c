"""What a promotion compared and decided, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenure.report.sentences.words import count, counted, percent
from tenure.report.tables.layout import Entry
from tenure.report.text import grid

SAID = {
    "promoted": ("is champion now", "would be champion"),
    "first": ("is champion now, the first", "would be champion, the first"),
    "forced": ("is champion now, by force", "would be champion, by force"),
    "rolled_back": ("is champion again", "would be champion again"),
    "refused": ("is refused", "would be refused"),
    "nothing": ("nothing to do", "nothing to do"),
}


def promote_lines(record: Entry) -> list[str]:
    """Return what `tenure promote` found, for people.

    Args:
        record: From `tenure.run.promote.run_promote`.
    """
    lines: list[str] = []
    for target, entry in record["targets"].items():
        lines += [*([""] if lines else []), *_target(target, entry, dry=record["dry_run"])]
    lines += ["", *record["notes"]] if record["notes"] else []
    if record["dry_run"]:
        lines += ["", "Dry run: nothing was changed."]
    return lines


def _target(target: str, entry: Entry, *, dry: bool) -> list[str]:
    words = SAID[entry["action"]][1 if dry else 0]
    said = words if entry["action"] == "nothing" else f"{entry['version']} {words}"
    if entry["champion"] and entry["action"] not in {"nothing", "refused"}:
        said += f", instead of {entry['champion']}"
    lines = [f"{target}: {said}", *(f"  {text}" for text in entry["sentences"])]
    found = entry["comparison"]
    return lines + [f"  {line}".rstrip() for line in _compared(found)] if found else lines


def _compared(found: Entry) -> list[str]:
    rows = (
        f"{counted(found['rows'], 'row')} of {counted(found['accounts'], 'account')} at "
        f"{counted(found['cutoffs'], 'prediction time')} ({found['first']} to {found['last']}), "
        f"{counted(found['events'], 'distinct outcome')}, {percent(found['observed_rate'])} of rows"
    )
    level = percent(found["level"])
    lines = ["", f"Compared: {found['how']}.", rows, "", *_figures(found, level)]
    if found["groups"]:
        lines += ["", *_groups(found["groups"], level)]
    return [*lines, *found["notes"]]


def _figures(found: Entry, level: str) -> list[str]:
    one, other, gain = found["champion"], found["challenger"], found["gain"]
    heads = ["", "champion", "challenger", f"gain [{level} interval]"]
    body = [
        [
            "log loss",
            *(f"{x['log_loss']['value']:.4f}" for x in (one, other)),
            _between(gain["log_loss"], 4),
        ],
        ["AUC", *(f"{x['auc']['value']:.3f}" for x in (one, other)), _between(gain["auc"], 3)],
        ["mean probability", *(percent(x["mean_probability"]) for x in (one, other)), ""],
    ]
    return grid([heads, *body])


def _groups(groups: Sequence[Entry], level: str) -> list[str]:
    heads = ["", "rows", "outcomes", "log loss", f"rises by [{level} interval]", ""]
    body = [
        [
            f"{item['by']}: {item['name']}",
            count(item["rows"]),
            count(item["events"]),
            f"{item['log_loss']:.4f}",
            _between(item["increase"], 4),
            {True: "MUCH WORSE", False: "", None: "too few outcomes"}[item["worse"]],
        ]
        for item in groups
    ]
    return grid([heads, *body], left=(0, 5))


def _between(found: Mapping[str, float | None], digits: int) -> str:
    if found["value"] is None:
        return "–"
    if found["lo"] is None or found["hi"] is None:
        return f"{found['value']:+.{digits}f}"
    return f"{found['value']:+.{digits}f} [{found['lo']:+.{digits}f}, {found['hi']:+.{digits}f}]"
