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
  1  `check` or `init` failed, `promote` refused, or `export` could not deliver everything
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
MAPS = click.Choice(["health", "experience"])
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
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Default: tenure.yaml.")
@click.option("--force", is_flag=True, help="Replace a config that exists.")
@click.option("--day-first", "first", flag_value="day", help="Read 01/02/2024 as 1 February.")
@click.option("--month-first", "first", flag_value="month", help="Read 01/02/2024 as 2 January.")
@AS_JSON
def init(folder: Path, as_json: bool, **wish: Any) -> None:
    """Write a config for the files in a folder, and check it.  Exit 1 if it needs your hand.

    Exports of usual systems are recognised by their columns (docs/presets.md); other files are
    named with what they are nearest to.
    """
    from tenure.report.init import init_lines
    from tenure.run.init import InitRequest, run_init

    with for_command() as progress:
        result = run_init(InitRequest(folder, **wish), progress=progress)
    show(result.to_json(), init_lines(result), as_json=as_json)
    if not result.passed:
        sys.exit(EXIT_UNUSABLE)


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
    from tenure.core.records.scorecards import HealthComparison
    from tenure.report.scorecards import comparison_lines
    from tenure.run.backtest import run_backtest

    with for_command() as progress:
        result = run_backtest(settings(config), table(out), progress=progress)
    result.pop("predictions")
    lines = [f"{result['rows']:,} predictions in {result['folds']} folds: {out}"]
    if result["health"]:
        lines += comparison_lines(HealthComparison.from_json(result["health"]))
    show(result, lines, as_json=as_json)


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


@cli.command()
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
    show(result, [f"report: {out}"], as_json=as_json)


@cli.command()
@CONFIG
@click.option("--from", "start", default=None, help="Start of the period, e.g. 2025-01-01 (UTC).")
@click.option("--to", "end", default=None, help="Its end, exclusive; default: twelve full months.")
@click.option("--by", multiple=True, help="month, quarter, segment, plan, owner, currency, cohort.")
@click.option("--only", multiple=True, help="Name of a metric; default: all.")
@click.option("--method", multiple=True, help="NAME=METHOD, see docs/metrics.md.")
@click.option("--forecast", is_flag=True, help="Instead: next month and quarter, docs/forecast.md.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="File to write.")
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
    show(result.to_json(), metrics_lines(result), as_json=as_json)


@cli.command()
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


@cli.command()
@CONFIG
@AS_OF
@click.option("--since", default=None, help="Compare with this date.")
@click.option("--map", "kind", type=MAPS, default="health", help="What the health map shows.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="File to write.")
@AS_JSON
def scorecards(config: Path, out: Path | None, as_json: bool, **how: Any) -> None:
    """Score outcomes and experience of every account; print the client health map."""
    from tenure.report.scorecards import health_map_lines
    from tenure.run.scorecards import run_scorecards

    times = moment(how["as_of"]), moment(how["since"], "--since")
    file = table(out) if out else None
    with for_command() as progress:
        result = run_scorecards(settings(config), times, how["kind"], file, progress)
    show(result.map.to_json(), health_map_lines(result.map), as_json=as_json)


@cli.command()
@CONFIG
@AS_OF
@click.option("--capacity", default=None, type=click.IntRange(1), help="Accounts per list.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="File to write.")
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
    show(result.to_json(), worklist_lines(result), as_json=as_json)


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


@cli.group()
def keys() -> None:
    """Who may use the service: make, list and revoke its keys."""


@keys.command("create")
@CONFIG
@click.option("--name", required=True, help="Whose it is, or what for.")
@click.option("--scope", "scopes", multiple=True, help="read, score, feedback, admin; repeatable.")
@click.option("--owner", default=None, help="Only accounts of this owner.")
@click.option("--segment", default=None, help="Only accounts of this segment.")
@click.option("--expires", default=None, help="From when it is no use, e.g. 2027-01-01 (UTC).")
@AS_JSON
def create_key(config: Path, as_json: bool, **wish: Any) -> None:
    """Make a key, by default with the scope `read`; it is shown once."""
    from tenure.run import keys as runs

    scopes = wish["scopes"] or ("read",)
    limits = {name: wish[name] for name in ("owner", "segment")}
    expires_at = moment(wish["expires"], "--expires")
    result = runs.create_key(
        settings(config), wish["name"], scopes, expires_at=expires_at, **limits
    )
    show(
        result,
        [result["key"], "It is shown this once: keep it where secrets are."],
        as_json=as_json,
    )


@keys.command("list")
@CONFIG
@AS_JSON
def list_keys(config: Path, as_json: bool) -> None:
    """List the keys; not their secrets, which stand nowhere."""
    from tenure.run.keys import list_keys

    rows = list_keys(settings(config))
    lines = [
        f"{row['key_id']}  {'active' if row['active'] else 'ended '}  {','.join(row['scopes'])}  "
        f"{row['name']}"
        for row in rows
    ]
    show({"keys": rows}, lines or ["no keys"], as_json=as_json)


@keys.command("revoke")
@CONFIG
@click.argument("key_id")
@AS_JSON
def revoke_key(config: Path, key_id: str, as_json: bool) -> None:
    """End a key and the sessions that it opened."""
    from tenure.run.keys import revoke_key

    result = revoke_key(settings(config), key_id)
    show(result, [f"{key_id} is revoked"], as_json=as_json)


@cli.command()
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


@cli.command()
@CONFIG
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=None, type=click.IntRange(1, 64), help="Processes.")
def serve(config: Path, port: int | None, workers: int | None) -> None:
    """Serve scores over HTTP until interrupted."""
    from tenure.service.api.serve import serve_forever

    serve_forever(config.resolve(), settings(config), port, workers)


@cli.command()
@CONFIG
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--no-browser", is_flag=True, help="Open no browser.")
def review(config: Path, port: int | None, no_browser: bool) -> None:
    """Show the scored book to one analyst on this machine, in a browser."""
    from tenure.service.pages.review import review_forever

    review_forever(settings(config), port, browser=not no_browser)


@cli.command()
@CONFIG
def mcp(config: Path) -> None:
    """Let an agent read the kept scores: Model Context Protocol, on stdin and stdout."""
    try:
        from tenure.service.agents import serve_agents
    except ModuleNotFoundError as error:
        fix = "pip install 'tenure[mcp]'"
        raise ConfigError(Problem("tenure mcp", "needs a package", str(error.name), fix)) from None
    serve_agents(settings(config))


def forecast(config: Path, out: Path | None, wish: dict[str, Any], *, as_json: bool) -> None:
    """Print what the accounts of the latest kept scores will do in a month and a quarter."""
    from tenure.report.forecast import forecast_lines
    from tenure.run.forecast import run_forecast

    options = {"--from": "start", "--to": "end", "--only": "only", "--method": "method"}
    if idle := [name for name, key in options.items() if wish[key]]:
        fix = "leave it out: a forecast is of the month and the quarter after the latest scores"
        raise ConfigError(Problem(idle[0], "does not go with --forecast", fix=fix))
    result = run_forecast(settings(config), wish["by"], table(out) if out else None)
    show(result.to_json(), forecast_lines(result), as_json=as_json)


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


def table(path: Path, *suffixes: str) -> Path:
    """Return a path for a table, after checking that its suffix says how to write it.

    Args:
        path: The path.
        suffixes: Suffixes that it may have; .csv and .parquet by default.
    """
    suffixes = suffixes or (".csv", ".parquet")
    if path.suffix not in suffixes:
        fix = f"end the name in {', '.join(suffixes[:-1])} or {suffixes[-1]}"
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
