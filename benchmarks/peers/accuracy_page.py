"""docs/accuracy.md, from the results of the accuracy benchmark."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from peers.accuracy_measures import CLIP, COMPARED, DEFAULT, LEVEL, ORACLE, RESAMPLES, verdict
from peers.accuracy_sets import LEAKING, LEAKS

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"
TOGETHER = "worlds of known truth together"
LABELS = {
    "tenure": "Tenure (default)",
    "tenure_tuned": "Tenure (tuned)",
    "autogluon": "AutoGluon",
    "autogluon_accounts": "AutoGluon by account",
    "boosting": "HistGradientBoosting",
    "boosting_stopped": "HistGradientBoosting with early stopping",
    "catboost": "CatBoost",
    "forest": "random forest",
    "logistic": "logistic regression",
    "featuretools": "featuretools and LightGBM",
    "oracle": "the true probabilities",
}
WORDS = {"auc": "AUC", "log_loss": "Log loss"}
OPTIONAL = {"autogluon_accounts", ORACLE}
INTRO = f"""# Accuracy beside other tools

Written by `benchmarks/accuracy.py`; do not edit by hand.

Each side learns from the same training rows and predicts the same later rows. Test rows are those
of the latest quarter of the prediction times whose outcome is known, three at least; training rows
are those whose outcome was known at the first of them, so there are months without rows in
between. Except for featuretools, every side reads the same columns: Tenure's default features,
with the percentiles among peers that Tenure's model learns from the training rows. Sides run one
after another, each in a process of its own: beside the seconds of the clock stand those of all
processors, of which other work on the machine takes nothing away.

Every side is calibrated alike before log loss and Brier score are compared: it learns once more
from the earlier training rows, predicts the later ones, and a line through these log-odds is
carried over to the test rows. *Raw log loss* is that of the probabilities as the side gives them.

* **Tenure (default)** is the model that `tenure train` would have fitted at the split, calibrated
  on predictions that earlier models made of later rows; its seconds are those of the whole walk
  through the past, baselines included. **Tenure (tuned)** is the same with `model.tuning`.
* **AutoGluon** has the preset `best_quality`, log loss as its measure and the seconds shown. As it
  comes, it builds its stacks on random parts of the rows; *by account* tells it not to part the
  rows of an account.
* **HistGradientBoosting** (scikit-learn) has its defaults, and once early stopping whatever the
  number of rows, **CatBoost** its defaults; the **random forest** has 500 trees with 5 rows in a
  leaf, medians for missing numbers; the **logistic regression** is the one that Tenure's reports
  show as a baseline.
* **featuretools** makes features of its own from the checked raw tables with its default
  primitives: usage in one window of 365 days (91 where there are more than 3 million events), the
  other tables whole. LightGBM learns from them with its defaults. The seconds to make the features
  stand apart.

The demo worlds of seeds 9001, 9002 and 9003 are Tenure's own, of 1,500 accounts; they are used for
nothing else, and a test holds a hash of what they are. Their true probabilities are known: *share
of the oracle* is (AUC − 0.5) / (AUC of the true probabilities − 0.5). The other data were made by
others, and are synthetic too.

Intervals ({LEVEL:.0%}) resample the accounts of the test rows {RESAMPLES:,} times, the same draws
for every side. *Tenure minus side* is the default's value less that of the side, and *wide* the
width of its interval: an AUC above 0 and a log loss below 0 favour Tenure. Probabilities nearer to
0 or 1 than {CLIP:g} count as that. Training is not repeated, so the intervals do not say how much a
fit varies by its seed."""


def write_page(document: dict[str, Any]) -> None:
    """Write the page."""
    found = document["results"]
    lines = [INTRO, "", *_machine(document), "", "## In short", ""]
    sound = {name: targets for name, targets in found.items() if name not in LEAKING}
    for name, targets in sound.items():
        for target, entry in targets.items():
            lines += [f"* **{name}, {target}.** {' '.join(sentences(entry['sides']))}"]
    for name, targets in sound.items():
        for target, entry in targets.items():
            lines += ["", f"## {name}, {target}", "", *_rows(entry), "", *_table(entry["sides"])]
    lines += _leaking(found)
    lines += ["", "## Limits", "", "| what | measured | limit | kept |", "|---|---:|---:|---|"]
    for claim in document["claims"]:
        if claim["what"].startswith(LEAKING):
            continue
        sign = "≤" if claim["at_most"] else "≥"
        kept = "yes" if claim["kept"] else "**no**"
        limit = f"{sign} {claim['limit']:g}"
        lines.append(
            f"| {claim['what']} | {claim['value']:.4g} {claim['unit']} | {limit} | {kept} |"
        )
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _leaking(found: dict[str, Any]) -> list[str]:
    """Return what was measured on data that leak, as what it is."""
    lines = []
    for name in LEAKING:
        for target, entry in found.get(name, {}).items():
            lines += ["", f"## No evidence: {name}, {target}", "", LEAKS.format(name=name), ""]
            lines += [*_rows(entry), "", *_table(entry["sides"])]
    return lines


def sentences(sides: dict[str, Any]) -> list[str]:
    """Return what the intervals say about Tenure's default beside each other tool."""
    found = []
    others = {side: own for side, own in sides.items() if "tenure_minus" in own and side != ORACLE}
    peers = [side for side in others if side != "tenure_tuned"]
    for name in COMPARED:
        groups: dict[str, list[str]] = {"better": [], "equal": [], "worse": []}
        for side in peers:
            groups[verdict(others[side], name)].append(side)
        parts = []
        if groups["better"]:
            parts.append(
                f"favours Tenure over {_listed(LABELS[side] for side in groups['better'])}"
            )
        if groups["equal"]:
            same = _listed(_reach(side, others[side], name) for side in groups["equal"])
            parts.append(f"includes 0 for {same}")
        if groups["worse"]:
            worse = _listed(_by(side, others[side], name) for side in groups["worse"])
            parts.append(f"**favours {worse}**")
        if parts:
            found.append(f"{WORDS[name]}: the interval {'; '.join(parts)}.")
    if "oracle_share" in sides[DEFAULT]:
        share = sides[DEFAULT]["oracle_share"]
        found.append(
            f"Tenure reaches {share['value']:.0%} [{share['lo']:.0%}, {share['hi']:.0%}] of the"
            " oracle's gain in AUC."
        )
    return found


def _reach(side: str, own: dict[str, Any], name: str) -> str:
    found = own["tenure_minus"][name]
    return f"{LABELS[side]} ({_digits(found['lo'], name)} to {_digits(found['hi'], name)})"


def _by(side: str, own: dict[str, Any], name: str) -> str:
    found = own["tenure_minus"][name]
    reach = f"{_digits(found['lo'], name)} to {_digits(found['hi'], name)}"
    return f"{LABELS[side]} by {abs(found['value']):.{_places(name)}f} ({reach})"


def _rows(entry: dict[str, Any]) -> list[str]:
    if "train" not in entry:
        return [f"The mean over {entry['worlds']} worlds; each is resampled on its own."]
    said = []
    for part in ("train", "test"):
        rows = entry[part]
        said.append(
            f"{part.capitalize()}: {rows['rows']:,} rows of {rows['accounts']:,} accounts at"
            f" {rows['cutoffs']} prediction times, {rows['first']} to {rows['last']};"
            f" {rows['positives']:,} positive, from {rows['events']:,} distinct events."
        )
    return [f"{' '.join(said)} {entry['columns']:,} columns."]


def _table(sides: dict[str, Any]) -> list[str]:
    shares = any("oracle_share" in own for own in sides.values())
    head = ["side", "AUC", "average precision", "log loss", "raw log loss", "Brier"]
    head += ["fit s", "of processors", "predict s"]
    head += ["Tenure minus side, AUC", "wide", "Tenure minus side, log loss", "wide"]
    head += ["share of the oracle"] * shares
    lines = [f"| {' | '.join(head)} |", f"|---{'|---:' * (len(head) - 1)}|"]
    for side in [name for name in LABELS if name in sides]:
        own = sides[side]
        cells = [LABELS[side]]
        cells += [_value(own[name], 3) for name in ("auc", "average_precision")]
        cells += [_value(own[name], 4) for name in ("log_loss", "raw_log_loss", "brier")]
        cells += _times(own.get("run"))
        for name in COMPARED:
            cells += _difference(own.get("tenure_minus", {}).get(name), name)
        if shares:
            share = own.get("oracle_share")
            cells.append(f"{share['value']:.0%}" if share else "")
        lines.append(f"| {' | '.join(cells)} |")
    notes = [
        f"featuretools took {run['feature_seconds']:,.0f} s to make {run['features']:,} features."
        for run in (sides.get("featuretools", {}).get("run"),)
        if run and "feature_seconds" in run
    ]
    notes += [
        f"{LABELS[side]} was given {run['budget_seconds']:,.0f} s{_found(run)}."
        for side, run in ((side, own.get("run", {})) for side, own in sides.items())
        if run.get("budget_seconds")
    ]
    missing = [LABELS[side] for side in LABELS if side not in {*sides, *OPTIONAL}]
    if missing:
        notes.append(f"Not measured here: {_listed(missing)}.")
    return [*lines, *([""] if notes else []), " ".join(notes)]


def _found(run: dict[str, Any]) -> str:
    """Return what came of a budget: how many models, or whether a search changed anything."""
    if "models" in run:
        return f" and fitted {run['models']} models"
    if "search_gain" in run:
        if run["search_gain"] > 0:
            return " and changed the final model"
        return " and kept the default as its final model"
    return ""


def _times(run: dict[str, Any] | None) -> list[str]:
    if run is None:
        return ["", "", ""]
    names = ("fit_seconds", "fit_processor_seconds", "predict_seconds")
    return [f"{run[name]:.{2 if name == names[-1] else 1}f}" for name in names]


def _value(found: dict[str, Any], digits: int) -> str:
    if found["lo"] is None:
        return "–" if found["value"] is None else f"{found['value']:.{digits}f}"
    return f"{found['value']:.{digits}f} [{found['lo']:.{digits}f}, {found['hi']:.{digits}f}]"


def _difference(found: dict[str, Any] | None, name: str) -> list[str]:
    if found is None or found["lo"] is None:
        return ["", ""]
    lo, value, hi = (_digits(found[end], name) for end in ("lo", "value", "hi"))
    return [f"{value} [{lo}, {hi}]", f"{found['hi'] - found['lo']:.{_places(name)}f}"]


def _places(name: str) -> int:
    return 3 if name == "auc" else 4


def _digits(value: float, name: str) -> str:
    return f"{value:+.{_places(name)}f}".replace("-", "−")


def _listed(items: Iterable[str]) -> str:
    listed = list(items)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


def _machine(document: dict[str, Any]) -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    runs = [
        own["run"]
        for targets in document["results"].values()
        for entry in targets.values()
        for own in entry["sides"].values()
        if "run" in own
    ]
    versions = {"tenure": version("tenure")}
    for run in runs:
        versions |= run["versions"]
    days = sorted(run["measured_at"][:10] for run in runs)
    when = f"on {days[0]}" if days[0] == days[-1] else f"from {days[0]} to {days[-1]}"
    threads = sorted({run["threads"] for run in runs})
    return [
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, Python"
        f" {platform.python_version()}; sides run on {' or '.join(map(str, threads))} threads;"
        f" {', '.join(f'{name} {number}' for name, number in sorted(versions.items()))}."
        f" Measured {when}."
    ]
