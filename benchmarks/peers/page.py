"""docs/speed.md and its picture, from the results of the feature benchmark."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from tenure.report.charts.look import to_png

DOCS = Path(__file__).parents[2] / "docs"
PICTURE = Path("images") / "speed.png"
SHOWN = ("duckdb", "numpy", "pandas", "pyarrow")
INTRO = """# Speed

Written by `benchmarks/features.py`; do not edit by hand.

Generated data: 20,000 accounts, 24 monthly prediction times, 200,000 tickets, 100,000 survey
answers, and 1, 10 and 50 million usage events of 12 kinds, about one in twenty known up to 20 days
late. Every run is a process of its own on two threads, from Parquet files sorted by time (in the
file cache) to a Parquet file of float32 columns; DuckDB may hold 2 GB before it spills to disk.
The order of the sides alternates. The columns of every other side are compared with Tenure's:
counts are equal, other numbers lie at most half a millionth (to which Tenure rounds what it adds
up) and one step of the written float32 apart.

*Same columns* are the {columns} about usage that every side gives; there Tenure is told the names
of the events, as the others know them. *All default families* are what `tenure train` builds from
these tables, the choice of event names included. *Load and check* reads and checks the raw tables;
other sides start from the checked ones. *One new day* is what `tenure score` does on the morning
after: the events lie in one file per month, the day before was scored (*the day before*, with
nothing kept from earlier), then the file of a day arrives, and the tables are loaded and one later
prediction time is built. *By hand* are programs
written for exactly these columns and these data: they may know that the files are sorted, that
every prediction time is a midnight and that the event names are twelve.
"""


def write_page(document: dict[str, Any]) -> None:
    """Write the page and its picture."""
    runs = document["runs"]
    same = next(iter(runs.values()))["tenure, same columns"][0]
    lines = [INTRO.format(columns=same["columns"]), *_machine(document), "", *_limits(document)]
    lines += ["", "## Seconds, processor seconds and memory", ""]
    lines += ["| events | side | runs | seconds | processor | peak MiB | columns | over the best"
              " by hand |", "|---:|---|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for size, found in runs.items():
        lines += _rows(size, found)
    lines += ["", f"![Seconds by number of events]({PICTURE.as_posix()})", ""]
    lines += _stages(runs)
    lines += _small(document["small"])
    lines += _slices(document["slices"])
    lines += _account(document["account"])
    (DOCS / "speed.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    (DOCS / PICTURE).write_bytes(to_png(_curve(runs), 1.5))


def _machine(document: dict[str, Any]) -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return [
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}; {versions}. Measured on "
        f"{document['measured_at'][:10]}."
    ]


def _limits(document: dict[str, Any]) -> list[str]:
    lines = ["## Limits", "", "| what | measured | limit | kept |", "|---|---:|---:|---|"]
    for claim in document["claims"]:
        sign = "≤" if claim["at_most"] else "≥"
        limit = "" if claim["limit"] is None else f"{sign} {claim['limit']:g}"
        kept = "" if claim["limit"] is None else "yes" if claim["kept"] else "**no**"
        lines.append(
            f"| {claim['what']} | {claim['value']:.4g} {claim['unit']} | {limit} | {kept} |"
        )
    return lines


def _middle(runs: list[dict[str, Any]], key: str) -> float:
    return float(median(run[key] for run in runs))


def _best(found: dict[str, Any]) -> float:
    hand = [runs for name, runs in found.items() if name.startswith(("DuckDB", "Polars"))]
    return min(_middle(runs, "seconds") for runs in hand)


def _rows(size: str, found: dict[str, Any]) -> list[str]:
    lines = []
    for name, runs in found.items():
        took = _middle(runs, "seconds")
        compared = runs[0]["columns"] == found["tenure, same columns"][0]["columns"]
        over = f"{took / _best(found):.2f}" if compared else ""
        columns = runs[0]["columns"] or ""
        lines.append(
            f"| {size} M | {name} | {len(runs)} | {took:.2f} | "
            f"{_middle(runs, 'processor_seconds'):.1f} | {_middle(runs, 'peak_mib'):.0f} | "
            f"{columns} | {over} |"
        )
    return lines


def _stages(sizes: dict[str, Any]) -> list[str]:
    largest = max(sizes, key=int)
    lines = [f"## Where the time goes, {largest} million events", "", "| side | seconds by part |"]
    lines.append("|---|---|")
    for name, runs in sizes[largest].items():
        parts = ", ".join(f"{part} {took:.2f}" for part, took in runs[-1]["stages"].items())
        lines.append(f"| {name} | {parts} |")
    return lines


def _small(runs: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "## Tickets and surveys",
        "",
        "The columns of both tables that were also written by hand; usage events do not matter to",
        "them.",
        "",
        "| side | runs | columns | seconds | processor | peak MiB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, found in runs.items():
        lines.append(
            f"| {name} | {len(found)} | {found[0]['columns']} | {_middle(found, 'seconds'):.2f} | "
            f"{_middle(found, 'processor_seconds'):.1f} | {_middle(found, 'peak_mib'):.0f} |"
        )
    return lines


def _slices(runs: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "## featuretools",
        "",
        "On slices (some accounts, the last six prediction times, no late rows): counts, sums and",
        "distinct members, one call per window. One process, as it comes.",
        "",
        "| side | rows | columns | seconds | milliseconds per row | microseconds per value |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, found in runs.items():
        run = found[-1]
        each = run["seconds"] / run["rows"]
        lines.append(
            f"| {name} | {run['rows']:,} | {run['columns']} | {run['seconds']:.2f} | "
            f"{1e3 * each:.3f} | {1e6 * each / run['columns']:.1f} |"
        )
    return lines


def _account(found: dict[str, Any]) -> list[str]:
    rows = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found["rows"].items())
    return [
        "",
        "## One account",
        "",
        f"Scored from its own rows ({rows}) by `score_posted`, {found['targets']} targets,",
        f"drivers included, warm: median {1e3 * found['median']:.0f} ms, 95th percentile "
        f"{1e3 * found['p95']:.0f} ms of {found['times']}.  {found['many']} accounts together",
        f"({found['rows_many']:,} rows): median {1e3 * found['median_many']:.0f} ms.",
    ]


def _curve(sizes: dict[str, Any]) -> dict[str, Any]:
    values = [
        {"side": name, "events": int(size), "seconds": _middle(runs, "seconds")}
        for size, found in sizes.items()
        for name, runs in found.items()
        if "load" not in name
    ]
    scale = {"type": "log"}
    ticks = {"values": [int(size) for size in sizes], "title": "usage events, millions"}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": values},
        "title": "Seconds from Parquet to the written matrix",
        "width": 520,
        "height": 320,
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": {"field": "events", "type": "quantitative", "scale": scale, "axis": ticks},
            "y": {"field": "seconds", "type": "quantitative", "scale": scale, "title": "seconds"},
            "color": {"field": "side", "type": "nominal", "title": None, "sort": None},
        },
    }
