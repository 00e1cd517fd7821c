"""The demo world: accounts that live through days, and the tables that are written of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from tenure.core.arrays import Ints
from tenure.demo import activity, contracts, surveys, tables, usage
from tenure.demo.calendar import Calendar, as_times
from tenure.demo.contracts import Desk
from tenure.demo.log import Log, write_invoices, write_rows, write_tickets
from tenure.demo.parameters import BOOK, NEVER, SEGMENTS
from tenure.demo.state import GONE, PAID, State, first_state

LEAST_ACCOUNTS = 20
LEAST_MONTHS = 6


@dataclass(frozen=True, slots=True)
class World:
    """A world before its first day."""

    calendar: Calendar
    segment: Ints  # segment number of each account
    state: State
    rng: np.random.Generator  # chance of its days
    others: tuple[np.random.Generator, ...]  # for tables and for replays: neither moves the days

    @classmethod
    def build(cls, accounts: int, months: int, seed: int) -> World:
        """Return the world of a seed.

        Raises:
            ValueError: If there are too few accounts or months to simulate.
        """
        if accounts < LEAST_ACCOUNTS or months < LEAST_MONTHS:
            raise ValueError(
                f"demo world: needs at least {LEAST_ACCOUNTS} accounts and {LEAST_MONTHS} months"
                f" (found: {accounts} accounts, {months} months)"
            )
        streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)]
        calendar = Calendar.build(months)
        segment = streams[0].choice(len(SEGMENTS), size=accounts, p=BOOK.segments)
        state = first_state(segment, calendar, streams[0])
        return cls(calendar, segment, state, streams[1], tuple(streams[2:]))

    def days(self, log: Log) -> Iterator[int]:
        """Live through the days; yield each day before it begins, and the last day's end."""
        _write_earlier_terms(self.state, self.calendar, log)
        desk = Desk(self.calendar, self.rng, log)
        for day in range(self.calendar.last_day):
            yield day
            live(self.state, day, desk)
        yield self.calendar.last_day
        _write_unfinished(self.state, log)


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """The tables that `write_world` wrote."""

    folder: Path
    observed_until: datetime
    """First moment that is not observed, naive UTC."""
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
    world = World.build(accounts, months, seed)
    log = Log()
    for _ in world.days(log):
        pass
    rng, last = world.others[0], world.calendar.last_day
    people = tables.People.draw(world.segment, log, rng)
    content = {
        "accounts": tables.accounts(people),
        "subscriptions": tables.subscriptions(log, people, last),
        "invoices": tables.invoices(log, people, last),
        "touchpoints": tables.touchpoints(log, people, last, rng),
        "tickets": tables.tickets(log, people, last, rng),
        "survey_responses": surveys.surveys(log, people, last, rng),
        "usage_events": usage.usage(log, people, last, rng),
    }
    for name, rows in content.items():
        tables.write(Path(out), name, rows)
    until = as_times(np.array([last]))[0].astype(datetime)
    return WorldSummary(Path(out), until, {k: v.num_rows for k, v in content.items()}, seed)


def live(state: State, day: int, desk: Desk) -> None:
    """Live through one day; all rates follow from what was observed before it."""
    turn = (state.account + day) % 7 == 0
    contracts.wake(state, day, desk)
    contracts.collect(state, day, desk)
    contracts.give_notice(state, turn, day, desk)
    contracts.end_terms(state, day, desk)
    contracts.expand(state, turn, day, desk)
    activity.use(state, day, desk.calendar, desk.rng, desk.log)
    activity.weekly_change(state, np.flatnonzero(turn & (state.status != GONE)), desk.rng)
    activity.support(state, day, desk.rng, desk.log)
    activity.ask(state, day, desk.rng, desk.log)


def _write_earlier_terms(state: State, calendar: Calendar, log: Log) -> None:
    """Write the terms that ended before the first day."""
    rows = np.flatnonzero(state.spell < 0)
    past = state.take(rows)
    past.row = past.spell.copy()
    while True:
        end = calendar.term_end(past.row, past.annual > 0)
        open_rows = np.flatnonzero(past.row < state.row[rows])
        if not open_rows.size:
            return
        past.renew = end
        write_rows(past, open_rows, end[open_rows], contracts.NONE, log)
        past.row = np.where(past.row < state.row[rows], end, past.row)


def _write_unfinished(state: State, log: Log) -> None:
    """Write what still runs, waits or is owed on the last day."""
    running = np.flatnonzero(state.status != GONE)
    never = np.full(running.size, NEVER)
    write_rows(state, running, never, contracts.NONE, log)
    extra = np.flatnonzero((state.status == PAID) & (state.add_on > 0))
    write_rows(state, extra, np.full(extra.size, NEVER), contracts.NONE, log, main=False)
    slot, row = np.nonzero(state.opened < NEVER)
    write_tickets(state, slot, row, np.full(row.size, NEVER), log)
    owed = np.flatnonzero(state.invoice < NEVER)
    write_invoices(state, owed, np.full(owed.size, NEVER), log)
