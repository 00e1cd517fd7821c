"""Commands about accounts: scores, reasons, pages, lists, metrics, and what is sent to others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tenure.cli.options import (
    AS_JSON,
    AS_OF,
    CONFIG,
    EXIT_UNUSABLE,
    MAPS,
    MAY_OUT,
    OUT,
    SELECTION,
    moment,
    settings,
    table,
)
from tenure.cli.output import show, written
from tenure.core.errors import ConfigError, Problem
from tenure.core.progress import for_command

if TYPE_CHECKING:
    from tenure.score.rows import Selection


@click.command()
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


@click.command()
@CONFIG
@click.option("--account", required=True, help="Account id.")
@AS_OF
@AS_JSON
@click.option("--since", default=None, help="Say what changed since the run kept at this date.")
@click.option("--evidence", is_flag=True, help="List the source rows behind each driver.")
@click.option("--rows", default=10, show_default=True, type=click.IntRange(1), help="Rows listed.")
def explain(config: Path, account: str, as_of: str | None, as_json: bool, **more: Any) -> None:
    """Say why one account has its score."""
    from tenure.run.explain import ExplainWish, run_explain

    rows = more["rows"] if more["evidence"] else 0
    wish = ExplainWish(moment(more["since"], "--since"), rows)
    with for_command() as progress:
        result = run_explain(settings(config), account, moment(as_of), progress, wish)
    show(result.to_json(), list(result.lines), as_json=as_json)


@click.command()
@CONFIG
@OUT
@click.option("--account", default=None, help="Account id: the report is about it alone.")
@AS_OF
@AS_JSON
def report(config: Path, out: Path, account: str | None, as_of: str | None, as_json: bool) -> None:
    """Write the report of the last training run, or of one account: one offline HTML file."""
    from tenure.run.report import run_account_report, run_report

    if account is None and as_of is not None:
        fix = "name the account, or leave it out"
        raise ConfigError(Problem("--as-of", "belongs to --account", as_of, fix))
    if account is None:
        result = run_report(settings(config), out)
    else:
        with for_command() as progress:
            wish = (out, account, moment(as_of), progress)
            result = run_account_report(settings(config), *wish)
    show(result, written("report", out), as_json=as_json)


@click.command()
@CONFIG
@click.option("--account", required=True, help="Account id.")
@AS_OF
@click.option("--since", default=None, help="Compare scorecards with this date.")
@AS_JSON
def account(config: Path, account: str, as_json: bool, **when: str | None) -> None:
    """Print everything known about one account: contracts, scores, scorecards, what happened."""
    from tenure.report.account import whole_account_lines
    from tenure.run.account import run_account

    times = moment(when["as_of"]), moment(when["since"], "--since")
    with for_command() as progress:
        result = run_account(settings(config), account, *times, progress)
    show(result.to_json(), whole_account_lines(result), as_json=as_json)


@click.command()
@CONFIG
@AS_OF
@click.option("--since", default=None, help="Compare with this date.")
@click.option("--map", "kind", type=MAPS, default="health", help="What the health map shows.")
@MAY_OUT
@AS_JSON
def scorecards(config: Path, out: Path | None, as_json: bool, **how: Any) -> None:
    """Score outcomes and experience of every account; print the client health map."""
    from tenure.report.scorecards import health_map_lines
    from tenure.run.scorecards import run_scorecards

    times = moment(how["as_of"]), moment(how["since"], "--since")
    file = table(out) if out else None
    with for_command() as progress:
        result = run_scorecards(settings(config), times, how["kind"], file, progress)
    lines = [*health_map_lines(result.map), *written("scorecards", out)]
    show(result.map.to_json(), lines, as_json=as_json)


@click.command()
@CONFIG
@AS_OF
@click.option("--capacity", default=None, type=click.IntRange(1), help="Accounts per list.")
@MAY_OUT
@click.option("--preview", is_flag=True, help="Do not remember that the lists were handed out.")
@AS_JSON
def worklist(config: Path, as_of: str | None, out: Path | None, as_json: bool, **wish: Any) -> None:
    """Say whom to call, per owner, within what the team can do, from the latest kept scores.

    An account comes back on a list only when something new is known of it.
    """
    from tenure.report.worklist import worklist_lines
    from tenure.run.worklist import run_worklist

    file, latest = table(out) if out else None, moment(as_of)
    with for_command() as progress:
        result = run_worklist(
            *(settings(config), latest, wish["capacity"], file, progress),
            remember=not wish["preview"],
        )
    lines = [*worklist_lines(result), *written("work lists", out)]
    show(result.to_json(), lines, as_json=as_json)


@click.command()
@CONFIG
@click.option("--from", "start", default=None, help="Start of the period, e.g. 2025-01-01 (UTC).")
@click.option("--to", "end", default=None, help="Its end, exclusive; default: twelve full months.")
@click.option("--by", multiple=True, help="month, quarter, segment, plan, owner, currency, cohort.")
@click.option("--only", multiple=True, help="Name of a metric; default: all.")
@click.option("--method", multiple=True, help="NAME=METHOD, see docs/metrics.md.")
@click.option("--forecast", is_flag=True, help="Instead: next month and quarter, docs/forecast.md.")
@MAY_OUT
@AS_JSON
def metrics(config: Path, out: Path | None, as_json: bool, **wish: Any) -> None:
    """Compute the customer-success metrics of a period: revenue, retention, surveys, support."""
    from tenure.report.metrics import metrics_lines
    from tenure.run.metrics import run_metrics
    from tenure.success.interpret import MetricsRequest

    if wish["forecast"]:
        forecast(config, out, wish, as_json=as_json)
        return
    start, end = moment(wish["start"], "--from"), moment(wish["end"], "--to")
    methods = dict(text.split("=", 1) if "=" in text else (text, "") for text in wish["method"])
    request = MetricsRequest(start, end, wish["by"], wish["only"], methods)
    with for_command() as progress:
        path = table(out, ".csv", ".parquet", ".xlsx") if out else None
        result = run_metrics(settings(config), request, path, progress)
    lines = [*metrics_lines(result), *written("metrics", out)]
    show(result.to_json(), lines, as_json=as_json)


def forecast(config: Path, out: Path | None, wish: dict[str, Any], *, as_json: bool) -> None:
    """Print what the accounts of the latest kept scores will do in a month and a quarter."""
    from tenure.report.forecast import forecast_lines
    from tenure.run.forecast import run_forecast

    options = {"--from": "start", "--to": "end", "--only": "only", "--method": "method"}
    if idle := [name for name, key in options.items() if wish[key]]:
        fix = "leave it out: a forecast is of the month and the quarter after the latest scores"
        raise ConfigError(Problem(idle[0], "does not go with --forecast", fix=fix))
    result = run_forecast(settings(config), wish["by"], table(out) if out else None)
    lines = [*forecast_lines(result), *written("forecast", out)]
    show(result.to_json(), lines, as_json=as_json)


@click.command()
@CONFIG
@click.option("--to", "target", required=True, help="Section under `exports` in the config.")
@click.option("--send", is_flag=True, help="Send; without it nothing leaves this machine.")
@AS_JSON
def export(config: Path, target: str, send: bool, as_json: bool) -> None:
    """Send the latest kept scores to a CRM or CS platform: a dry run unless --send.

    Only what differs from what was last delivered is sent.  Exit 1 if anything did not arrive.
    """
    from tenure.report.export import export_lines
    from tenure.run.export import run_export

    with for_command() as progress:
        result = run_export(settings(config), target, send=send, progress=progress)
    show(result.to_json(), export_lines(result), as_json=as_json)
    if result.refused or result.not_processed:
        sys.exit(EXIT_UNUSABLE)
