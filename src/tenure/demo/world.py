"""Write the demo world and its true probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from tenure.demo import columns, surveys, tables, usage
from tenure.demo.calendar import as_times
from tenure.demo.log import Log
from tenure.demo.oracle import HORIZON_DAYS, Replay, true_probabilities
from tenure.demo.simulate import World

LEAST_ACCOUNTS = 20
LEAST_MONTHS = 6


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """The tables that `write_world` wrote.

    Attributes:
        folder: Where the tables are.
        observed_until: First moment that is not observed, naive UTC.
        rows: Rows by table.
        seed: The seed.
    """

    folder: Path
    observed_until: datetime
    rows: dict[str, int]
    seed: int


def write_world(
    out: Path, *, accounts: int = 1500, months: int = 42, seed: int = 0
) -> WorldSummary:
    """Write the contract's tables of a simulated subscription business as Parquet.

    Args:
        out: Folder, made if missing; tables in it are replaced one by one.
        accounts: Accounts over the whole time; about a third pays at any moment.
        months: Simulated months, from 2022-01-01.
        seed: Equal seeds give equal bytes.

    Returns:
        Where the tables are and how long they are.

    Raises:
        ValueError: If there are too few accounts or months to simulate.
    """
    world = _world(accounts, months, seed)
    log = Log()
    for _ in world.days(log):
        pass
    content = _tables(world, log)
    for name, rows in content.items():
        columns.write(Path(out), name, rows)
    until = as_times(np.array([world.calendar.last_day]))[0].astype(datetime)
    return WorldSummary(Path(out), until, {k: v.num_rows for k, v in content.items()}, seed)


def write_oracle(
    out: Path,
    *,
    accounts: int = 1500,
    months: int = 42,
    seed: int = 0,
    replay: Replay | None = None,
) -> Path:
    """Write ``oracle.parquet``: the true probabilities of the world of the same arguments.

    Columns are account_id, as_of (first of the month, the end of the world included), target
    (churn, expansion), horizon_days and probability, for every account that is paying and has
    not given notice.

    Args:
        out: Folder, made if missing.
        accounts: As for `write_world`.
        months: As for `write_world`.
        seed: As for `write_world`.
        replay: How many futures are drawn, and from which month on.

    Returns:
        The path of the file.

    Raises:
        ValueError: If there are too few accounts or months to simulate.
    """
    probabilities = true_probabilities(_world(accounts, months, seed), replay or Replay())
    columns.write(
        Path(out),
        "oracle",
        columns.table(
            {
                "account_id": tables.account_ids(probabilities["account"].to_numpy()),
                "as_of": columns.times(probabilities["as_of"].to_numpy()),
                "target": pa.array(probabilities["target"].to_numpy(), pa.string()),
                "horizon_days": pa.array(np.full(len(probabilities), HORIZON_DAYS)),
                "probability": pa.array(probabilities["probability"].to_numpy()),
            }
        ),
    )
    return Path(out) / "oracle.parquet"


def _world(accounts: int, months: int, seed: int) -> World:
    if accounts < LEAST_ACCOUNTS or months < LEAST_MONTHS:
        raise ValueError(
            f"demo world: needs at least {LEAST_ACCOUNTS} accounts and {LEAST_MONTHS} months"
            f" (found: {accounts} accounts, {months} months)"
        )
    return World.build(accounts, months, seed)


def _tables(world: World, log: Log) -> dict[str, pa.Table]:
    rng, last = world.others[0], world.calendar.last_day
    people = tables.People.draw(world.segment, log, rng)
    return {
        "accounts": tables.accounts(people),
        "subscriptions": tables.subscriptions(log, people, last),
        "invoices": tables.invoices(log, people, last),
        "touchpoints": tables.touchpoints(log, people, last, rng),
        "tickets": tables.tickets(log, people, last, rng),
        "survey_responses": surveys.surveys(log, people, last, rng),
        "usage_events": usage.usage(log, people, last, rng),
    }
