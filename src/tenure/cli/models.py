"""Commands of the road from tables to a champion, and of what it reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tenure.cli.options import AS_JSON, CONFIG, EXIT_UNUSABLE, FILE, OUT, OutPath, settings, table
from tenure.cli.output import show
from tenure.core.errors import RefusedError
from tenure.core.progress import for_command


@click.command()
@click.option("--out", default="demo", type=OutPath(), help="Folder to write to.")
@click.option("--accounts", default=1500, type=click.IntRange(50), help="Accounts to simulate.")
@click.option("--seed", default=0, type=click.IntRange(0), help="Seed of the simulation.")
@AS_JSON
def demo(out: Path, accounts: int, seed: int, as_json: bool) -> None:
    """Run the whole road on the built-in world."""
    from tenure.run.demo import run_demo

    with for_command() as progress:
        result = run_demo(out, accounts=accounts, seed=seed, progress=progress)
    show(result.to_json(), result.lines(), as_json=as_json)


@click.command()
@click.argument("place", default=".", metavar="[DIR|URL]")
@click.option("--out", default=None, type=FILE, help="Default: tenure.yaml.")
@click.option("--force", is_flag=True, help="Replace a config that exists.")
@click.option("--day-first", "first", flag_value="day", help="Read 01/02/2024 as 1 February.")
@click.option("--month-first", "first", flag_value="month", help="Read 01/02/2024 as 2 January.")
@AS_JSON
def init(place: str, as_json: bool, **wish: Any) -> None:
    """Write a config for the files in a folder, and check it.  Exit 1 if it needs your hand.

    In the place of a folder, the URL of a database: 'postgresql://me:${PASSWORD}@host/crm'.
    Exports of usual systems are recognised by their columns (docs/presets.md); other files are
    named with what they are nearest to.
    """
    from tenure.report.init import init_lines
    from tenure.run.init import InitRequest, run_init

    with for_command() as progress:
        result = run_init(InitRequest.of(place, **wish), progress=progress)
    show(result.to_json(), init_lines(result), as_json=as_json)
    if not result.passed:
        sys.exit(EXIT_UNUSABLE)


@click.command()
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


@click.command()
@CONFIG
@click.option("--force", is_flag=True, help="Also where many rows are gone since the last copy.")
@AS_JSON
def snapshot(config: Path, force: bool, as_json: bool) -> None:
    """Keep today's changes of the tables with `snapshots: true`, which their source overwrites."""
    from tenure.run.snapshot import run_snapshot

    with for_command() as progress:
        result = run_snapshot(settings(config), progress, force=force)
    show(result.to_json(), result.lines(), as_json=as_json)


@click.command()
@CONFIG
@AS_JSON
def train(config: Path, as_json: bool) -> None:
    """Fit, calibrate, backtest, track, register and export a model per target.

    Exit 5 if the data can carry none; the report says why.
    """
    from tenure.report.text import train_lines
    from tenure.run.train import run_train

    with for_command() as progress:
        record = run_train(settings(config), progress=progress)
    show(record.to_json(), train_lines(record), as_json=as_json)
    if all(target.model is None for target in record.targets.values()):
        sys.exit(RefusedError.exit_code)


@click.command()
@CONFIG
@OUT
@AS_JSON
def backtest(config: Path, out: Path, as_json: bool) -> None:
    """Write out-of-time predictions with their outcomes, as they would have been made then."""
    from tenure.core.records.scorecards import HealthComparison
    from tenure.report.scorecards import comparison_lines
    from tenure.report.text import target_lines
    from tenure.run.backtest import run_backtest

    with for_command() as progress:
        result = run_backtest(settings(config), table(out), progress=progress)
    result.pop("predictions")
    lines = target_lines(result.pop("records"))
    lines += ["", f"{result['rows']:,} predictions in {result['folds']} folds: {out}"]
    if result["health"]:
        lines += comparison_lines(HealthComparison.from_json(result["health"]))
    show(result, lines, as_json=as_json)


@click.command()
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
