"""Write the reference pages from the declarations: ``python docs/generate.py``."""

# ruff: noqa: E501 - the lines are prose and table rows of a page

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from metrics_page import Example, metrics_page
from pydantic import BaseModel
from scorecards_page import scorecards_page

from tenure.core.config import Config, FeatureConfig
from tenure.core.records.account import AccountRecord
from tenure.core.records.audit import AuditRecord, CheckRecord
from tenure.core.records.base import Record
from tenure.core.records.bundle import BundleMetrics, BundleSpec
from tenure.core.records.data import DataRecord
from tenure.core.records.delivery import DeliveryRecord
from tenure.core.records.explain import AccountExplanation
from tenure.core.records.forecast import ForecastRecord
from tenure.core.records.init import InitRecord
from tenure.core.records.metrics import MetricsRecord
from tenure.core.records.promotion import PromotionRecord, ScoreRecord
from tenure.core.records.scorecards import HealthComparison, HealthMap
from tenure.core.records.training import TrainingRecord
from tenure.core.records.worklist import WorkListRecord
from tenure.core.spec import Column
from tenure.core.tables import TableConfig
from tenure.features.families import FAMILIES
from tenure.features.reference_page import reference_page
from tenure.score.delivery.deliver import ADAPTERS
from tenure.sources.contract import SOURCES
from tenure.sources.meanings import MEANINGS
from tenure.sources.presets.declared import Preset, RawObject, presets
from tenure.sources.words import NOTHING, PERIODS, VOCABULARIES
from tenure.success.definitions import CHAPTERS, METRICS
from tenure.success.scorecards.declarations import MEASURES, activation

HERE = Path(__file__).parent
CASES = HERE.parent / "tests" / "cases" / "metrics"
NOTE = "Written by `python docs/generate.py` from the declarations; do not edit by hand."


def pages() -> dict[str, str]:
    """Return file name → text."""
    markdown = {"data.md": data(), "configuration.md": configuration(), "features.md": features()}
    markdown["export.md"] = export()
    markdown["presets.md"] = preset_page()
    markdown["metrics.md"] = METRICS_PREFACE + metrics_page(CHAPTERS, examples())
    measures = (*MEASURES, activation(Config.model_fields["metrics"].default.activation_days))
    markdown["scorecards.md"] = SCORECARDS_PREFACE + scorecards_page(measures)
    schemas = {f"schemas/{name}.json": schema(record) for name, record in RECORDS.items()}
    return markdown | schemas


def examples() -> dict[str, list[Example]]:
    """Return the worked examples of each metric, from the pack of cases, published ones first."""
    worked: dict[str, list[Example]] = {}
    for path in sorted(CASES.glob("*.yaml")):
        for world in yaml.safe_load(path.read_text(encoding="utf-8")):
            for case in world["cases"]:
                name = case["metric"]
                default = METRICS[name].methods[0].name
                method = case.get("shown", case.get("method", default))
                if case["value"] is not None:
                    source = world.get("source", "")
                    example = Example(case["id"], world["world"], source, method, case["value"])
                    worked.setdefault(name, []).append(example)
    return {
        name: sorted(items, key=lambda one: (not one.case.startswith("W"), not one.source))
        for name, items in worked.items()
    }


RECORDS: dict[str, type[Record]] = {
    "account": AccountRecord,
    "audit": AuditRecord,
    "bundle-metrics": BundleMetrics,
    "bundle-spec": BundleSpec,
    "check": CheckRecord,
    "data": DataRecord,
    "explain": AccountExplanation,
    "export": DeliveryRecord,
    "init": InitRecord,
    "health-comparison": HealthComparison,
    "health-map": HealthMap,
    "forecast": ForecastRecord,
    "metrics": MetricsRecord,
    "promote": PromotionRecord,
    "score": ScoreRecord,
    "train": TrainingRecord,
    "worklist": WorkListRecord,
}
"""What commands write and print with `--json`, and bundles hold, by the name of its schema."""


def schema(record: type[Record]) -> str:
    """Return the JSON schema of a record; parts that were not measured may be left out."""
    return json.dumps(record.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


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
        "",
        "Words are compared in lower case, with `_` for whatever is no letter or digit: `P1 - Critical`",
        "is `p1_critical`. In every optional column a text that says that there is nothing is empty,",
        f"and counted: {', '.join(f'`{word}`' for word in NOTHING if word)}. So is a time from 2099 on,",
        "of the year 0, or at the first moment of a computer's calendar (1900-01-01, 1970-01-01). The",
        "same word in all rows is mapped as `{value: WORD}`.",
        "",
        "Observation stops the day after the last event that was observed. Usage, tickets and answers",
        "are written when they have happened; meetings, invoices and starts of subscriptions may be",
        "booked ahead, and count only up to the silence that is usual among the former. What lies",
        "after that is set aside and named; `data.observed_until` states the end instead.",
        "",
        "Files are CSV (also `.tsv`, `.tab`, `.psv`, `.txt`, and packed: `.gz`, `.zst`), Parquet or",
        "DuckDB (`path: x.duckdb`, `table: marts.accounts`). Text is UTF-8 or UTF-16; separator,",
        "quotes and line ends are recognised. The header is the first line that names columns of",
        "the contract or of your mapping; what stands above it is left out, and the report says",
        "so. A line that is no row (another number of values than the header, an open quote, over",
        "16 MB, not UTF-8) goes to the rejects with its number and the reason. For anything else,",
        "use `sql`: `SELECT * FROM read_csv('x.csv', encoding='latin-1')` or `read_json('x.ndjson')`.",
        "",
        "A table may come as many files: a folder of Parquet or CSV files, or a glob. They are put",
        "together by the names of their columns, in any order; a column that a file lacks is empty",
        "there, and the report names the files. Names are compared without case. A folder named",
        "`column=value` serves as that column where the contract or a mapping names it and the",
        "files lack it, as text; other folder names are ignored. The checked rows of large files",
        "(200,000 rows and more) are kept under `runs/cache/staged`; later runs read only new and",
        "changed files, and the report says what was staged anew. The folder may be deleted at any",
        "time when nothing is running.",
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
            "| column | type | what it is | known | without it | usually |",
            "|---|---|---|---|---|---|",
            *(_column(source.name, column) for column in source.columns),
            *_words(source.name),
        ]
        if source.checks:
            lines += ["", "Rules:", ""]
            lines += [
                f"- {check.rule} ({_action(check.action, check.column)})" for check in source.checks
            ]
    return "\n".join(lines) + "\n"


def _column(table: str, column: Column) -> str:
    meaning = MEANINGS[table][column.name]
    known = f"at `{column.clock}`" if column.clock else "with the row"
    kind = f"{column.kind}; {meaning.unit}" if meaning.unit else column.kind
    text = (
        f"{meaning.text}; for its words see below"
        if _spellings(table, column.name)
        else meaning.text
    )
    cells = (f"`{column.name}`", kind, text, known, meaning.absent, meaning.origin)
    return f"| {' | '.join(cells)} |"


def _spellings(table: str, column: str) -> dict[str, tuple[str, ...]]:
    """Return the contract's word → what vendors call it."""
    if column == "billing_period":
        return {
            f"{months} months" if months > 1 else "1 month": names
            for months, names in PERIODS.items()
        }
    words = VOCABULARIES.get((table, column))
    return dict(words.words) if words else {}


def preset_page() -> str:
    """Return the reference of the shapes that `tenure init` knows."""
    lines = [
        "# Presets",
        "",
        NOTE,
        "",
        "The shapes of exports that [`tenure init`](init.md) recognises. A file is an object where it has",
        "all the columns in its list; names are compared without case, spaces and signs, and the",
        "prefixes `property_`, `properties.` and `traits.` do not count. Of several objects that a file",
        "may be, the one counts of which it has most columns; the names of vendor and object in the",
        "file's name help. Each is one file in `src/tenure/sources/presets/vendors`.",
        "",
        "| preset | vendor | for | version | gives |",
        "|---|---|---|---|---|",
        *(_preset_row(preset) for preset in presets().values()),
    ]
    for preset in presets().values():
        lines += _preset_section(preset)
    return "\n".join(lines) + "\n"


def _preset_row(preset: Preset) -> str:
    tables = ", ".join(dict.fromkeys(f"`{shape.table}`" for shape in preset.tables))
    return f"| `{preset.name}` | {preset.vendor} | {preset.kind} | {preset.version} | {tables} |"


def _preset_section(preset: Preset) -> list[str]:
    vendor = preset.vendor[0].upper() + preset.vendor[1:]
    lines = ["", f"## {vendor}", "", preset.about, "", "Assumed:", ""]
    lines += [f"- {text}" for text in preset.assumes]
    lines += ["", "| object | recognised by | also read |", "|---|---|---|"]
    lines += [_object(item) for item in preset.objects.values()]
    lacks = dict.fromkeys(text for shape in preset.tables for text in shape.lacks)
    return lines + [line for text in lacks for line in ("", f"Not in it: {text}.")]


def _object(item: RawObject) -> str:
    needs = [f"`{'` or `'.join(_exported(item, need))}`" for need in item.needs]
    others = [f"`{_exported(item, name)[0]}`" for name in item.columns if name not in item.needs]
    return f"| {item.name} | {', '.join(needs)} | {', '.join(others) or '–'} |"


def _exported(item: RawObject, name: str) -> list[str]:
    """Return how exports spell a column; `mark` is what the preset calls any of several."""
    return [text for text in item.columns[name] if text != "mark"][:3]


def _words(table: str) -> list[str]:
    lines: list[str] = []
    for column in MEANINGS[table]:
        if not (spellings := _spellings(table, column)):
            continue
        words = VOCABULARIES.get((table, column))
        lines += ["", f"Words of `{column}`:", ""]
        lines += [
            f"- `{word}`: {', '.join(names) or 'no other'}" for word, names in spellings.items()
        ]
        if words and words.hint:
            lines += ["", f"{words.hint[0].upper()}{words.hint[1:]}."]
        if words and words.patterns:
            lines += [
                "",
                f"A longer text is read by a word in it: {', '.join(f'`{name}`' for name in words.patterns)}, or by what these are called.",
            ]
    return lines


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
        "are taken from the environment; those under `exports` and `webhooks` are needed only when that",
        "target or webhook is used.",
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
        if name in ("base", "frame"):
            continue
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            lines += _keys(kind, f"{prefix}{name}.")
            continue
        default = "required" if field.is_required() else f"`{_default(field.get_default())}`"
        said = " ".join((field.description or _choices(kind)).split())
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
    return PREFACE + reference_page(FAMILIES.values(), FeatureConfig().families)


PREFACE = f"""\
# Features

{NOTE}

A feature is a declaration of a few lines. Its name carries its window: `events_28d` looks at the
28 days before `as_of`. One with a lag leaves out the days just before `as_of`. One "for each
chosen" value of a column stands once per value (at most 24, each used by at least 20 accounts in
the past of the prediction time), and so does what is computed from it.

What is not known is missing, and never 0:

- without the table or a column of it the feature is absent, and the run says so;
- a count or a sum over a window without rows is 0, any other aggregate is missing;
- where the history of the whole table begins after the window does, the feature is missing, not a
  partial count;
- a feature that is computed from others is missing where a part is, or by a division by 0.

A percentile stands among the accounts of the same groups in the training past, ties by half;
groups of fewer than 50 rows are joined with the next wider one. It is learnt in each fold from
its training rows, stored in the bundle and looked up when scoring.

## Features of your own

A list under `features` of a config declares features of your own, with the fields of `Feature`,
`Derived` (it has a `formula`) or `Ranked` (it has an `of`) in `tenure.core.spec`, and a `family`
where they should not all stand in `custom`:

```yaml
features:
  - {{name: exports, source: usage_events, aggregate: count(*), where: "event = 'export'",
     windows: [28, 84], lever: true, sentence: "{{value}} exports in the last {{window}}"}}
  - {{name: exports_trend, formula: 3 * exports_28d / exports_84d,
     sentence: "exports at {{value}} of their 84-day pace"}}
  - {{name: exports_level, of: exports_28d, family: exporting,
     sentence: "exports above {{value}} of accounts of like segment and tenure"}}
```

With other keys beside it the list stands under `features.custom`. A Python module does the same
for larger families; it holds a `FAMILY`, or several `FAMILIES`:

```yaml
features:
  modules: [my_features.py]   # relative to the config, or the name of an installed module
```

```python
from tenure.core.spec import Family, Feature

FAMILY = Family(
    "exporting",
    "Exporting",
    (
        Feature(
            "exports", "usage_events", "count(*)", "{{value}} exports in the last {{window}}",
            where="event = 'export'", windows=(28, 84), lever=True,
        ),
    ),
)
```

A module is run by `tenure check`, `train` and `backtest`. A bundle keeps its declarations and the
hash of its text, so scoring runs no module.

Aggregates: `count(*)`, `count(x)`, `count(distinct x)`, `sum(x)`, `avg(x)`, `min(x)`, `max(x)`,
`last(x)`, `most(x)` (rows of the member of x with most rows), `longest_gap(x)` (most days between
neighbouring days of a time), and `days_since(…)` or `days_until(…)` around `min`, `max` or `last`
of a time, or `days_since(top(x))` (since the last row of the member with most rows). Fragments
are one expression over the columns of one row. A sub-query, a window function, a clock, chance, an
unknown column or function, a comment, a second statement: each is refused when the config is read,
with its place, e.g. `features.custom.0.where`.

"""


def export() -> str:
    """Return the page of what scores can be sent to."""
    rows = [
        f"| `{name}` | {adapter.title} | {', '.join(f'`{key}`' for key in adapter.needs)} | "
        f"{adapter.rows:,} | {adapter.per_minute:,} | {adapter.limits} |"
        for name, adapter in ADAPTERS.items()
    ]
    head = "| adapter | system | settings it needs | rows a batch | requests a minute | how |"
    return EXPORT + "\n".join([head, "|---|---|---|--:|--:|---|", *rows]) + "\n"


EXPORT = f"""\
# Sending scores to other systems

{NOTE}

`tenure export CONFIG --to NAME` sends the scores of the latest kept run to a system that the config
names under `exports`. Without `--send` it is a dry run: it says how many accounts changed, shows three of
them with the values that would go, and nothing leaves this machine.

```yaml
exports:
  hubspot:                                # the adapter, unless `adapter` names another one
    url: https://api.hubapi.com
    token: ${{HUBSPOT_TOKEN}}               # taken from the environment, written nowhere
    key: tenure_account_id                # their unique property that holds the account_id
    columns:                              # column of the flat rows → property of theirs
      churn_probability: tenure_churn_probability
      risk_band: tenure_risk_band
      driver_1_sentence: tenure_first_reason
      renews_at: tenure_renewal
```

- **What is sent** is what differs from what the system took last, account by account. A delivery that
  was broken off goes on with the rest; a run that changed nothing sends nothing.
- **What became of it** is said of every account: written, refused with the reason of the system, or *not
  processed*: nobody knows, and it is sent again next time. The exit code is 1 if anything did not arrive.
- **Where a system answers 200 to everything** the values are read back, and only what shows there counts as
  written. `read_back` maps a field that is sent to the name under which it is read.
- Busy systems (429, 5xx) are asked again up to five times, as late as their `Retry-After` says. A refused
  key ends the delivery at once.
- The main horizon is sent unless `horizon_days` names another one. `stale_sources` and `unseen_values` are not
  kept with scores and cannot be sent.
- **Webhooks** are told what changed by `tenure score` (accounts in another band) and by `tenure train` and
  `promote` (a new champion), with the headers of Standard Webhooks; what does not arrive waits in the
  store and is tried again, ever more seldom, by `tenure serve` or whichever command comes next. A message arrives
  at least once: one that was sent twice, by a try whose answer was lost, has the same `webhook-id`. The section `webhooks` names them, each with its `url` and `secrets`.
- The adapters were tested against servers that answer as the vendors' documentation says, not against
  the vendors' own.

"""
METRICS_PREFACE = f"""\
# Customer-success metrics

{NOTE}

`tenure metrics CONFIG` computes them from the tables that it has checked, as known when observation
stopped. No two vendors compute these alike: each metric says its rule, and each way to compute it
has a name (`--method NAME=METHOD`).

- **Time.** A period is half-open, `[from, to)`; by default the last full twelve months. A subscription
  row runs at a date when it started before and ends at or after 00:00 UTC of it, so what happens at
  the first moment of a period belongs to that period. `--by month` or `quarter` splits the period.
- **Movements** compare the two ends of a period per account and currency, in exact decimals: MRR at the
  start plus all movements is MRR at the end. Who leaves and is back within one period moved nothing;
  who joins and leaves within one does not show.
- **Currencies.** With `fx_rates` all money is converted (`metrics.currency`): movements at the rates of
  the start, new money at those of the end, and the rest is `movement_fx`. Without rates nothing is
  converted and each currency stands alone; an account that moves from one to another is `movement_fx`
  in both, and is left out of retention.
- **Pauses.** An account in a pause pays nothing and has not churned; it is `movement_pause`, later
  `movement_resume`. Retention of money counts it as lost.
- **Mergers.** From the date in the table `mergers` on, the rows of an account count for the one that it became
  part of. What it paid before is `movement_merger`, taken from the one and added to the other; what the two
  pay less together is contraction, and nobody churned.
- **Groups.** Segment and owner are those of today; the plan is that of the subscription that pays most,
  at the end for what is of the end and else at the start; the cohort is the month of the first payment.
- **No value.** Where a denominator is 0, a table is missing or does not cover the period, or the period
  is not over when observation stops, there is no value and a reason, never 0 or 100 %.
- **Intervals** are of 95 %.

Every definition names what others published and what comes of their numbers here; the rows are in
`tests/cases/metrics`, and the tests compute each of them.

`--out` writes them to `.csv` or `.parquet`, one row per metric, period and group, or to `.xlsx`: a workbook
that can be audited. It holds the rows per account and month, each metric as a live formula over them beside
Tenure's own value, and a sheet *Checks*, of which every line reads PASS until somebody changes a cell.

"""


SCORECARDS_PREFACE = f"""\
# Scorecards, health, one account

{NOTE}

`tenure scorecards CONFIG --out scorecards.csv` scores every account that pays and prints the client health
map (`--map health`: health × MRR; `--map experience`: experience × outcomes; amounts of two currencies are
never added). `tenure account CONFIG --account ID [--as-of DATE]` prints everything known about one account
on one screen. In Python: `Project.scorecards()` and `Project.account()`.

- **Point in time.** A measure is a feature, cut at the prediction time like everything a model reads, or
  comes from the latest kept scores up to then. Nothing at or after the time shows.
- **Points.** Each measure has 0 to 100 points, on a straight line between its two cut points. A scorecard
  is the mean of its measures that have data; `coverage` says how many those are.
- **Trend** is the points less those of an earlier time: `--since DATE`, else `success.trend_days` (90)
  before. What is composed compares the parts that have data at both times.
- **Customer success** joins experience and outcomes (each as a share of 1) by a named rule,
  `success.join`: `arithmetic` (mean, the default), `geometric` (CS = CE × CO) or `minimum`. Sources disagree;
  none of them is *the* formula.
- **Advocacy** (`promoter_reference_activity`): half is the last answer to NPS of a year (6 or less gives 0, 9
  or 10 gives 100), 30 % whether the account has given a reference (a touchpoint of kind `reference`,
  `reference_call`, `case_study`, `testimonial`, `review`, `referral`, `speaking` or `advisory_board`),
  20 % the days of use; what has no data drops out. From 60 on an account is a likely advocate (CSQA), unless
  its last answer was 6 or less or it stands in the band `high`.
- **A measure for the return** that your customers get is one feature that you name:
  `success.roi_proxy: {{feature: invoices_sent_28d, bad: 0, good: 200}}`; it counts among the outcomes.

**A weighted health score**, for teams that have one, stands beside the model. A part is a measure of this page
with its cut points, or a feature with yours. A part without data drops out and its weight spreads over
the rest, unless `missing` says how many points it gets:

```yaml
success:
  health:
    - {{measure: seat_utilisation, weight: 30}}
    - {{measure: nps, weight: 20}}
    - {{feature: days_since_last_event, weight: 50, bad: 30, good: 2, missing: 0}}
  green_at: 70
  red_below: 40
```

`tenure backtest` then measures it on the test rows of the model: AUC and lift of both with intervals, the
share of the leavers that stood green (*false greens*; the model's green are as many rows as the score's, those
of the lowest probability), and what the model adds. `tenure train` puts the same into the training
record and the report.

**Bands keep still.** `risk_band` of a flat row is cut by thresholds alone, so that it follows from the row, and
may change with every run. The band that work lists, accounts, scorecards and the map show
rises at once, but falls only when the risk lies `success.band_margin` (15 %) below the threshold and the
band has stood for `success.band_dwell_days` (28), over the last 60 kept runs of 400 days. It is never
lower than `risk_band`.

"""


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(text, encoding="utf-8")
