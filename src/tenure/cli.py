"""The command line: each command parses, makes one call and renders."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from tenure import __version__
from tenure.core.errors import ConfigError, Problem, TenureError
from tenure.core.progress import for_command

if TYPE_CHECKING:
    from tenure.score.rows import Selection

EXIT_UNUSABLE = 1
EXIT_CODES = """\b
Exit codes:
  0  done; warnings and doubts do not change it
  1  `check` failed, or `promote` refused a challenger
  2  the config or an option cannot be used
  3  the input tables cannot be used
  4  a model, a run or MLflow is missing, damaged or of another project
  5  the data cannot carry the model that was asked for
"""
INTERVAL = re.compile(r"\S+ \[[^\[\]]{1,40}\]")
"""A number and its interval."""
GLUE = "\N{NO-BREAK SPACE}"
CONFIG = click.argument("config", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
OUT = click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write.")
SELECTION = click.Choice(["all", "slim"])
AS_OF = click.option("--as-of", default=None, help="Prediction time, e.g. 2026-01-01 (UTC).")


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="tenure")
def cli() -> None:
    """Who stays, who leaves, who grows, and why.

    Every command takes a YAML config; `data: {path: DIR}` alone is a valid one.  Run `tenure demo`
    first: it needs no arguments.
    """


@cli.command()
@click.option("--out", default="demo", type=click.Path(path_type=Path), help="Folder to write to.")
@click.option("--accounts", default=1500, type=click.IntRange(50), help="Accounts to simulate.")
@click.option("--seed", default=0, type=click.IntRange(0), help="Seed of the simulation.")
@AS_JSON
def demo(out: Path, accounts: int, seed: int, as_json: bool) -> None:
    """Run the whole road on the built-in world."""
    from tenure.run.demo import run_demo

    with for_command() as progress:
        result = run_demo(out, accounts=accounts, seed=seed, progress=progress)
    show(result.to_json(), result.lines(), as_json=as_json)


@cli.command()
@CONFIG
@AS_JSON
def check(config: Path, as_json: bool) -> None:
    """Report on the data and audit the features.  Exit 1 if unusable, or if one saw its future."""
    from tenure.report.text import check_lines
    from tenure.run.check import run_check

    with for_command() as progress:
        result = run_check(settings(config), progress=progress)
    show(result.to_json(), check_lines(result), as_json=as_json)
    if not result.passed:
        sys.exit(EXIT_UNUSABLE)


@cli.command()
@CONFIG
@click.option("--force", is_flag=True, help="Also where many rows are gone since the last copy.")
@AS_JSON
def snapshot(config: Path, force: bool, as_json: bool) -> None:
    """Keep today's changes of the tables with `snapshots: true`, which their source overwrites."""
    from tenure.run.snapshot import run_snapshot

    with for_command() as progress:
        result = run_snapshot(settings(config), progress, force=force)
    show(result.to_json(), result.lines(), as_json=as_json)


@cli.command()
@CONFIG
@AS_JSON
def train(config: Path, as_json: bool) -> None:
    """Fit, calibrate, backtest, track, register and export a model per target."""
    from tenure.report.text import train_lines
    from tenure.run.train import run_train

    with for_command() as progress:
        record = run_train(settings(config), progress=progress)
    show(record.to_json(), train_lines(record), as_json=as_json)


@cli.command()
@CONFIG
@OUT
@AS_JSON
def backtest(config: Path, out: Path, as_json: bool) -> None:
    """Write out-of-time predictions with their outcomes, as they would have been made then."""
    from tenure.run.backtest import run_backtest

    with for_command() as progress:
        result = run_backtest(settings(config), table(out), progress=progress)
    result.pop("predictions")
    line = f"{result['rows']:,} predictions in {result['folds']} folds: {out}"
    show(result, [line], as_json=as_json)


@cli.command()
@CONFIG
@AS_OF
@OUT
@click.option(
    "--columns", type=SELECTION, default="all", help="slim: what people read.", show_default=True
)
@AS_JSON
def score(config: Path, as_of: str | None, out: Path, columns: Selection, as_json: bool) -> None:
    """Write a flat row per account and horizon: probability, rank, money at risk, drivers."""
    from tenure.report.scores import score_lines
    from tenure.run.score import run_score

    with for_command() as progress:
        result = run_score(settings(config), table(out), moment(as_of), progress, columns)
    show(result.to_json(), score_lines(result), as_json=as_json)


@cli.command()
@CONFIG
@click.option("--account", required=True, help="Account id.")
@AS_OF
@AS_JSON
def explain(config: Path, account: str, as_of: str | None, as_json: bool) -> None:
    """Say why one account has its score."""
    from tenure.run.score import run_explain

    with for_command() as progress:
        result = run_explain(settings(config), account, moment(as_of), progress=progress)
    show(result, result["lines"], as_json=as_json)


@cli.command()
@CONFIG
@OUT
@AS_JSON
def report(config: Path, out: Path, as_json: bool) -> None:
    """Write the model report of the last training run: one offline HTML file."""
    from tenure.run.report import run_report

    result = run_report(settings(config), out)
    show(result, [f"report: {out}"], as_json=as_json)


@cli.command()
@CONFIG
@click.option("--from", "start", default=None, help="Start of the period, e.g. 2025-01-01 (UTC).")
@click.option("--to", "end", default=None, help="Its end, exclusive; default: twelve full months.")
@click.option("--by", multiple=True, help="month, quarter, segment, plan, owner, currency, cohort.")
@click.option("--only", multiple=True, help="Name of a metric; default: all.")
@click.option("--method", multiple=True, help="NAME=METHOD, see docs/metrics.md.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="File to write.")
@AS_JSON
def metrics(config: Path, out: Path | None, as_json: bool, **wish: Any) -> None:
    """Compute the customer-success metrics of a period: revenue, retention, surveys, support."""
    from tenure.report.metrics import metrics_lines
    from tenure.run.metrics import run_metrics
    from tenure.success.interpret import MetricsRequest

    start, end = moment(wish["start"], "--from"), moment(wish["end"], "--to")
    methods = dict(text.split("=", 1) if "=" in text else (text, "") for text in wish["method"])
    request = MetricsRequest(start, end, wish["by"], wish["only"], methods)
    with for_command() as progress:
        result = run_metrics(settings(config), request, table(out) if out else None, progress)
    show(result.to_json(), metrics_lines(result), as_json=as_json)


@cli.command()
@CONFIG
@click.option("--target", default=None, help="Look at this target only.")
@click.option("--to", default=None, help="Make this published version champion (rollback).")
@click.option("--reason", default="", help="Why, for the history; default: what was measured.")
@click.option("--force", is_flag=True, help="Go on where the challenger would be refused.")
@click.option("--dry-run", is_flag=True, help="Compare, but change nothing.")
@AS_JSON
def promote(config: Path, as_json: bool, **wish: Any) -> None:
    """Put a better challenger in the champion's place.  Exit 1 if it is refused.

    Both are measured on the same past rows, of which neither has seen the outcome.  The challenger
    takes over where it is better with a probability of 75 % or more (`promotion.probability`), and
    could hardly lose a large part of what the champion gains over the base rate, over all rows or
    in a group.
    """
    from tenure.report.promotion import promote_lines
    from tenure.run.promote import PromotionRequest, run_promote

    with for_command() as progress:
        result = run_promote(settings(config), PromotionRequest(**wish), progress=progress)
    show(result.to_json(), promote_lines(result), as_json=as_json)
    if not result.passed:
        sys.exit(EXIT_UNUSABLE)


@cli.command()
@CONFIG
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port to listen on.")
def serve(config: Path, port: int | None) -> None:
    """Serve scores over HTTP until interrupted."""
    from tenure.service.api.serve import serve_forever

    serve_forever(config.resolve(), settings(config), port)


def settings(path: Path) -> Any:
    """Return the config at a path."""
    from tenure.features.plan.config_checks import load_config

    return load_config(path)


def moment(text: str | None, option: str = "--as-of") -> datetime | None:
    """Return a time given on the command line, as an option."""
    from tenure.core.times import as_utc

    if text is None:
        return None
    try:
        return as_utc(text)
    except ValueError:
        fix = "write it like 2026-01-01 or 2026-01-01T12:00:00Z"
        raise ConfigError(Problem(option, "is not an ISO date or time", text, fix)) from None


def table(path: Path) -> Path:
    """Return a path for a table, after checking that its suffix says how to write it."""
    if path.suffix not in {".csv", ".parquet"}:
        fix = "end the name in .csv or .parquet"
        raise ConfigError(Problem("--out", "must say its format by its suffix", str(path), fix))
    return path


def show(result: Any, lines: list[str], *, as_json: bool) -> None:
    """Write a result to stdout: as JSON, or as lines for people."""
    if as_json:
        click.echo(json.dumps(result, indent=1, sort_keys=True))
        return
    for line in lines:
        click.echo(fitted(line, sys.stdout))


def fitted(text: str, stream: TextIO) -> str:
    """Return lines broken between words where they are longer than a terminal is wide.

    What does not fit goes on below the last column of a line; a number stays with its interval.
    A stream that is no terminal gets the lines as they are.
    """
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(_broken(line, width) for line in text.splitlines())


def _broken(line: str, width: int) -> str:
    start = max((match.end() for match in re.finditer(r"(^| ) +", line)), default=0)
    if len(line) <= width or start > width // 2:
        return line
    words = INTERVAL.sub(lambda match: match.group().replace(" ", GLUE), line[start:])
    wrapper = textwrap.TextWrapper(width - start, break_long_words=False, break_on_hyphens=False)
    parts = wrapper.wrap(words)
    return (line[:start] + ("\n" + " " * start).join(parts)).replace(GLUE, " ")


def main() -> None:
    """Run the command line; a known error is one message on stderr and its exit code."""
    try:
        cli()
    except TenureError as error:
        click.echo(fitted(f"tenure: {error}", sys.stderr), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_UNUSABLE)
