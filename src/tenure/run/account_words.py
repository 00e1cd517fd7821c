"""One account in words: why it has its score, or none, or why nothing can be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from tenure.core.errors import Problem
from tenure.core.flat_row import TOP, prefix_of
from tenure.core.records.explain import DriverEvidence, DriverRecord, ScoreChange
from tenure.core.sections import ScoreConfig
from tenure.core.steps import text_literal
from tenure.core.times import literal, show
from tenure.explain.changes import shown_parts
from tenure.explain.wording import statement
from tenure.labels.targets import TARGETS
from tenure.report.sentences.formatting import counted, signed
from tenure.report.sentences.values import points
from tenure.score.abstain import NEW, NOTICE, STALE
from tenure.sources.dataset import Dataset

NEAR = 3
"""Ids that are suggested for one that does not exist."""
HOW_TO_READ = (
    "+ goes with a higher and − with a lower probability; in the model's log-odds before "
    "calibration. Associated with the outcome, not its cause."
)


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a flat row as JSON values: times as text, nothing for what is missing."""
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    if hasattr(value, "to_pydatetime"):
        return show(value.to_pydatetime())
    return value.item() if hasattr(value, "item") else value


def account_lines(row: dict[str, Any], targets: list[str], reason: str = "") -> list[str]:
    """Return a flat row as lines for people.

    The row has JSON values; `reason` is what `abstention_reason` says.
    """
    lines = [f"{row['account_id']} as of {row['as_of']}"]
    if row["abstain_reason"]:
        return [*lines, f"No probability: {reason or row['abstain_reason']}."]
    for target in targets:
        lines += _target_lines(row, target)
    return [*lines, HOW_TO_READ]


def _target_lines(row: dict[str, Any], target: str) -> list[str]:
    prefix = prefix_of(target)
    chance = row[f"{target}_probability"]
    if chance is None:
        return [f"{target}: no probability, its renewal date lies outside the horizon"]
    event, horizon = TARGETS[target].event, row["horizon_days"]
    base = row[f"{prefix}base_rate"]
    lines = [f"{event} within {horizon} days: {chance:.1%} (base rate {base:.1%})"]
    for place in range(1, TOP + 1):
        sentence = row[f"{prefix}driver_{place}_sentence"]
        if sentence:
            amount = row[f"{prefix}driver_{place}_contribution"]
            lines.append(f"  {signed(amount, 3)}  {statement(sentence)}")
    return lines


def explained_lines(
    drivers: Mapping[str, Sequence[DriverRecord]],
    evidence: Mapping[str, Sequence[DriverEvidence]],
    changes: Mapping[str, ScoreChange],
) -> list[str]:
    """Return what to ask for, the rows behind drivers and what changed, as lines for people.

    Each argument goes by target.
    """
    lines: list[str] = []
    for target, listed in drivers.items():
        asks = [f"  {driver.label}: {driver.ask}" for driver in listed if driver.ask]
        shaky = [driver.label for driver in listed if driver.unstable]
        lines += [f"What to ask for ({target}):", *asks] if asks else []
        if shaky:
            lines.append(f"Not sure to be among the five ({target}): {', '.join(shaky)}")
    for target, behind in evidence.items():
        for one in behind:
            lines += [f"Rows behind {one.label} ({target}):", *_table_lines(one)]
    for target, change in changes.items():
        lines += _change_lines(target, change)
    return lines


def _table_lines(evidence: DriverEvidence) -> list[str]:
    lines = []
    for table in evidence.tables:
        more = f", {table.hidden} more not shown" if table.hidden else ""
        lines.append(f"  {table.source}: {table.total} in all{more}")
        for row in table.rows:
            pairs = zip(table.columns, row, strict=True)
            cells = [f"{name} {value}" for name, value in pairs if value is not None]
            lines.append(f"    {', '.join(cells)}")
    return lines


def _change_lines(target: str, change: ScoreChange) -> list[str]:
    first, last = f"{change.before_probability:.1%}", f"{change.after_probability:.1%}"
    head = f"{target} since {change.before_as_of}: {first} to {last} ({points(change.points)})"
    large, rest = shown_parts(change)
    moves = [(part.log_odds, part.points, part.label) for part in large]
    if rest:
        sums = sum(part.log_odds for part in rest), sum(part.points for part in rest)
        moves.append((*sums, counted(len(rest), "smaller part")))
    return [head, *(f"  {signed(odds, 3)}  {points(moved)}  {what}" for odds, moved, what in moves)]


def abstention_reason(row: dict[str, Any], dataset: Dataset, settings: ScoreConfig) -> str:
    """Return in words why a flat row has no probability; empty where it has one."""
    code = row["abstain_reason"]
    if not code:
        return ""
    if code == NOTICE:
        ends = f", ends {_day(row['renews_at'])}" if row["renews_at"] else ""
        return f"gave notice{_notice_day(row, dataset)}{ends}: what happens is known"
    if code == STALE:
        return (
            f"no new rows of any account for {settings.stale_after_days} days in "
            f"{row['stale_sources']} (score.stale_after_days); load newer data"
        )
    if code == NEW:
        return f"has paid for fewer than {settings.min_tenure_days} days (score.min_tenure_days)"
    share = row["data_coverage"]
    return (
        f"only {share or 0:.0%} of the sources have a row of it in the last "
        f"{settings.lookback_days} days (score.min_coverage: {settings.min_coverage:.0%})"
    )


def _notice_day(row: dict[str, Any], dataset: Dataset) -> str:
    if not dataset.has("subscriptions", "notice_at"):
        return ""
    moment = literal(datetime.fromisoformat(row["as_of"]).replace(tzinfo=None))
    sql = (
        f"SELECT MAX(notice_at) AS day FROM subscriptions WHERE paid AND notice_at < {moment} "
        f"AND account_id = {text_literal(row['account_id'])}"
    )
    day = dataset.engine.value(sql)
    return f" on {_day(show(day))}" if day else ""


def absence(account: str, dataset: Dataset, as_of: datetime) -> Problem:
    """Return why an account is not scored at a time at which it has no paid subscription."""
    mine, moment = f"account_id = {text_literal(account)}", literal(as_of)
    thing = f"account `{account}`"
    if not dataset.engine.fetch(f"SELECT 1 FROM accounts WHERE {mine} LIMIT 1").num_rows:
        return Problem(thing, "is not in the table `accounts`", fix=_near(account, dataset))
    times = dataset.engine.row(
        f"SELECT MAX(CASE WHEN ended_at < {moment} THEN ended_at END) AS until, "
        f"MIN(CASE WHEN started_at >= {moment} THEN started_at END) AS since, COUNT(*) AS rows "
        f"FROM subscriptions WHERE paid AND {mine}"
    )
    until, since = (show(times[name]) if times[name] else "" for name in ("until", "since"))
    if not times["rows"]:
        return Problem(thing, "never had a paid subscription", fix="choose a paying account")
    if until and since:
        rule = f"does not pay on {show(as_of)}: it paid until {_day(until)}, and again from "
        return Problem(thing, rule + _day(since), fix="choose another --as-of")
    if until:
        fix = f"choose --as-of {until[:10]} or earlier"
        return Problem(thing, f"has left: it paid until {_day(until)}", fix=fix)
    if since:
        fix = "choose a later --as-of"
        return Problem(thing, f"does not pay before {_day(since)}", fix=fix)
    rule = f"was not known to pay on {show(as_of)}"
    return Problem(thing, rule, fix="choose a later --as-of")


def _near(account: str, dataset: Dataset) -> str:
    """Return ids that are spelt like one that does not exist, else what ids look like."""
    word = text_literal(account)
    sql = (
        f"SELECT account_id, MIN(levenshtein(account_id, {word})) AS distance FROM accounts "
        f"GROUP BY account_id ORDER BY distance, account_id LIMIT {NEAR}"
    )
    rows = dataset.engine.fetch(sql).to_pylist()
    close = [row["account_id"] for row in rows if row["distance"] <= max(1, len(account) // 3)]
    if close:
        return f"did you mean {' or '.join(f'`{name}`' for name in close)}?"
    return f"ids look like `{rows[0]['account_id']}`" if rows else ""


def _day(text: str) -> str:
    """Return an ISO date or time as people write the date.

    >>> _day("2025-07-07T00:00:00Z")
    '7 July 2025'
    """
    date = datetime.fromisoformat(text)
    return f"{date.day} {date:%B %Y}"
