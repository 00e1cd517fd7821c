"""Write the reference pages from the declarations: ``python docs/generate.py``."""

# ruff: noqa: E501 - the lines are prose and table rows of a page

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from tenure.core.config import Config, TableConfig
from tenure.core.spec import Derived, Feature
from tenure.features.plan import FAMILIES
from tenure.sources.tables import SOURCES

HERE = Path(__file__).parent
NOTE = "Written by `python docs/generate.py` from the declarations; do not edit by hand."
EFFECT = {1: "raises churn", -1: "lowers churn", 0: "–"}


def pages() -> dict[str, str]:
    """Return file name → text."""
    return {"data.md": data(), "configuration.md": configuration(), "features.md": features()}


def data() -> str:
    """Return the reference of the tables."""
    lines = [
        "# Tables",
        "",
        NOTE,
        "",
        "`accounts` and `subscriptions` are required; a table that is missing leaves its features",
        "out, and the run says so. Times are ISO 8601 (or a declared format) and mean UTC unless",
        "`data.timezone` says otherwise; a date without a time is midnight, known at the end of its",
        "day. Every table may carry `known_at`, the time your systems could have seen the row.",
        "A late column is empty at `as_of` unless its clock is before `as_of`.",
    ]
    for source in SOURCES.values():
        need = "required" if source.required else "optional"
        key = ", ".join(f"`{name}`" for name in source.key) or "none"
        lines += [
            "",
            f"## {source.name}",
            "",
            f"{need.capitalize()}. Key: {key}. Event time: `{source.time}`.",
            "",
            "| column | type | | known |",
            "|---|---|---|---|",
        ]
        for column in source.columns:
            known = f"at `{column.clock}`" if column.clock else "with the row"
            flag = "required" if column.required else ""
            lines.append(f"| `{column.name}` | {column.kind} | {flag} | {known} |")
        if source.checks:
            lines += ["", "Rules:", ""]
            lines += [
                f"- {check.rule} ({_action(check.action, check.column)})" for check in source.checks
            ]
    return "\n".join(lines) + "\n"


def _action(action: str, column: str | None) -> str:
    return {"reject": "else the row is rejected", "warn": "else a warning"}.get(
        action, f"else `{column}` is emptied"
    )


def configuration() -> str:
    """Return the reference of the config."""
    lines = [
        "# Configuration",
        "",
        NOTE,
        "",
        "`data: {path: DIR}` alone is a valid config. Unknown keys are errors. Relative paths refer",
        "to the config's folder; `paths` to the current directory. `${VAR}` and `${VAR:-default}`",
        "are taken from the environment.",
        "",
        "| key | default | |",
        "|---|---|---|",
        *_keys(Config, ""),
        "",
        "A table is a path, or a mapping with these keys:",
        "",
        "| key | default | |",
        "|---|---|---|",
        *_keys(TableConfig, "data.tables.<name>."),
    ]
    return "\n".join(lines) + "\n"


def _keys(model: type[BaseModel], prefix: str) -> list[str]:
    lines = []
    for name, field in model.model_fields.items():
        if name == "base":
            continue
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            lines += _keys(kind, f"{prefix}{name}.")
            continue
        default = "required" if field.is_required() else f"`{_default(field.get_default())}`"
        said = field.description or _choices(kind)
        lines.append(f"| `{prefix}{name}` | {default} | {said} |")
    return lines


def _default(value: Any) -> str:
    if value is None:
        return "none"
    return str(value) if not isinstance(value, list) else f"[{', '.join(map(str, value))}]"


def _choices(kind: Any) -> str:
    if get_origin(kind) in (None, types.UnionType, list, dict):
        return ""
    return " or ".join(f"`{choice}`" for choice in get_args(kind))


def features() -> str:
    """Return the reference of the features."""
    lines = [
        "# Features",
        "",
        NOTE,
        "",
        "A feature is a declaration of a few lines; its name carries its window (`events_28d`).",
        "Counts of nothing are 0; means, extremes and last values of nothing are missing. Add your",
        "own under `features.custom` of a config, with the same fields as `Feature` or `Derived` in",
        "`tenure.core.spec`:",
        "",
        "```yaml",
        "features:",
        "  custom:",
        "    - {name: exports, source: usage_events, aggregate: count(*), where: \"event = 'export'\",",
        '       windows: [28, 84], sentence: "{value} exports in the last {window}"}',
        "    - {name: exports_trend, formula: 3 * exports_28d / exports_84d,",
        '       sentence: "exports at {value} of their 84-day pace"}',
        "```",
    ]
    for family in FAMILIES.values():
        lines += [
            "",
            f"## {family.title} (`{family.name}`)",
            "",
            "| feature | says | computed as | windows (days) | expected | team can act |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_feature(item) for item in family.features]
    return "\n".join(lines) + "\n"


def _feature(item: Feature | Derived) -> str:
    lever = "yes" if item.lever else "no"
    if isinstance(item, Derived):
        how, windows = f"`{item.formula}`", "–"
    else:
        where = f" where {item.where}" if item.where else ""
        state = " over rows running at `as_of`" if item.running else ""
        state += f" by `{item.at}`" if item.at else ""
        each = f", for each chosen `{item.each}`" if item.each else ""
        how = f"`{item.aggregate}`{state} of `{item.source}`{f' `{where.strip()}`' if where else ''}{each}"
        windows = ", ".join(map(str, item.windows)) or "–"
    said = item.sentence.replace("|", "\\|")
    return f"| `{item.name}` | {said} | {how} | {windows} | {EFFECT[item.direction]} | {lever} |"


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
