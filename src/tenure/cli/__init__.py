"""The command line: each command parses, makes one call and renders."""

from __future__ import annotations

import sys
from types import ModuleType

import click

from tenure import __version__
from tenure.cli import models, scores, serving
from tenure.cli.options import EXIT_INTERRUPTED, EXIT_UNUSABLE
from tenure.cli.output import fitted
from tenure.core.errors import TenureError

EXIT_CODES = """\b
Exit codes:
  0  done; warnings and doubts do not change it
  1  `check` or `init` failed, `promote` refused, or `export` could not deliver everything
  2  the config or an option cannot be used
  3  the input tables cannot be used
  4  a model, a run or MLflow is missing, damaged or of another project
  5  the data cannot carry the model that was asked for, `train`: not one of them
  130  interrupted (Ctrl-C)
"""


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


COMMANDS: dict[ModuleType, tuple[str, ...]] = {
    models: ("demo", "init", "check", "snapshot", "train", "backtest", "promote"),
    scores: (
        *("score", "explain", "report", "account", "scorecards", "worklist", "metrics"),
        "export",
    ),
    serving: ("keys", "serve", "build", "review", "mcp"),
}
for room, names in COMMANDS.items():
    for name in names:
        cli.add_command(getattr(room, name))


def main() -> None:
    """Run the command line; a known error is one message on stderr and its exit code."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        text = "interrupted: no file is half-written, and it can be run again"
        click.echo(f"tenure: {text}", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except TenureError as error:
        click.echo(fitted(f"tenure: {error}", sys.stderr), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_UNUSABLE)
