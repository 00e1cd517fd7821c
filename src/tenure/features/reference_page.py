"""The reference page of features, written from their declarations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.spec import Declared, Derived, Family, Feature, Ranked
from tenure.features.families import FAMILIES

if TYPE_CHECKING:
    import pandas as pd

EFFECT = {1: "raises churn", -1: "lowers churn", 0: "–"}
HEAD = (
    "| feature | says | SQL | source | windows (days) | expected | team can act | missing |",
    "|---|---|---|---|---|---|---|---|",
)
ZERO = ("count(", "sum(", "most(")


def reference_page(families: Iterable[Family], default: Iterable[str] | None = None) -> str:
    """Return Markdown with one section per family and one row per declaration.

    Args:
        families: What to describe.
        default: Names of the families that are on by default, where some are not.
    """
    families = list(families)
    on = {family.name for family in families} if default is None else set(default)
    lines: list[str] = []
    for family in families:
        off = "" if family.name in on else ", off by default"
        lines += ["", f"## {family.title} (`{family.name}`{off})", "", *HEAD]
        lines += [row(item) for item in family.features]
    return "\n".join(lines[1:]) + "\n"


def row(item: Declared) -> str:
    """Return the table row of one declaration."""
    if isinstance(item, Feature):
        windows = ", ".join(map(str, item.windows)) or "–"
        windows += f", without the last {item.lag}" if item.lag else ""
        cells = [fragment(item), f"`{item.source}`", windows]
    else:
        cells = [fragment(item), "–", "–"]
    sentence = item.sentence.replace("|", "\\|")
    if not isinstance(item, Ranked) and item.hidden:
        sentence += " (a part of others, no column)"
    lever = "yes" if item.lever else "no"
    return " | ".join(
        [f"| `{item.name}`", sentence, *cells, EFFECT[item.direction], lever, f"{missing(item)} |"]
    )


def feature_table(family: str | None = None) -> pd.DataFrame:
    """Return the features of a family, or of all families: one row per declaration.

    >>> table = feature_table("onboarding")
    >>> table.loc["days_to_first_use", ["sentence", "unit"]].tolist()
    ["the first use {value} days {after|before} the account's creation", 'days']

    Args:
        family: Its name, as in the config under ``features.families``; all by default.

    Returns:
        Indexed by name: ``family``, ``sentence`` (``{value}`` stands for the value), ``unit``,
        ``windows`` (days; a column for each), ``direction`` (1: raises churn, -1: lowers it, 0:
        unknown), ``lever`` (whether a team can act on it), ``source`` (the table, empty where it is
        made from other features) and ``missing`` (what stands where there is nothing to count).

    Raises:
        ConfigError: If there is no such family.
    """
    import pandas as pd

    if family is not None and family not in FAMILIES:
        raise ConfigError(Problem("family", "no such family", family, suggestion(family, FAMILIES)))
    families = FAMILIES.values() if family is None else [FAMILIES[family]]
    rows = [
        {
            "name": item.name,
            "family": one.name,
            "sentence": item.sentence,
            "unit": item.unit,
            "windows": getattr(item, "windows", ()),
            "direction": item.direction,
            "lever": item.lever,
            "source": getattr(item, "source", ""),
            "missing": missing(item).replace("`", ""),
        }
        for one in families
        for item in one.features
        if not getattr(item, "hidden", False)
    ]
    return pd.DataFrame(rows).set_index("name")


def fragment(item: Declared) -> str:
    """Return what a declaration computes, as Markdown.

    >>> fragment(Feature("x", "tickets", "count(*)", "{value}", where="priority = 'p1'"))
    "`count(*) where priority = 'p1'`"
    """
    if isinstance(item, Derived):
        return f"`{item.formula}`"
    if isinstance(item, Ranked):
        by = [*item.within, *([f"{item.band} cut at {_listed(item.edges)}"] if item.band else [])]
        return f"`percentile of {item.of}` within {' and '.join(by) or 'all accounts'}"
    text = f"`{item.aggregate}{f' where {item.where}' if item.where else ''}`"
    text += f" by `{item.at}`" if item.at else ""
    text += " over the rows running at `as_of`" if item.running else ""
    return text + (f", for each chosen `{item.each}`" if item.each else "")


def missing(item: Declared) -> str:
    """Return the value of a feature without any row, in words.

    >>> missing(Feature("x", "tickets", "avg(csat_score)", "{value}", windows=(28,)))
    'missing without a row'
    """
    if isinstance(item, Ranked):
        return f"missing where `{item.of}` is"
    if isinstance(item, Derived):
        return "missing where a part is, or by a division by 0"
    if item.default is not None:
        return f"{item.default:g} without a row"
    if item.aggregate.startswith("longest_gap"):
        return "missing below two days with rows"
    counted = item.aggregate.startswith(ZERO) and not (
        item.running and item.aggregate.startswith("sum(")
    )
    return "0 without a row" if counted else "missing without a row"


def _listed(edges: Iterable[float]) -> str:
    return ", ".join(f"{edge:g}" for edge in edges)
