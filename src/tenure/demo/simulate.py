"""The simulation: a world of accounts, lived through day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tenure.demo import activity, contracts
from tenure.demo.calendar import Calendar, Ints
from tenure.demo.contracts import Desk
from tenure.demo.log import Log, write_invoices, write_rows, write_tickets
from tenure.demo.parameters import BOOK, NEVER, SEGMENTS
from tenure.demo.state import GONE, PAID, State, first_state


@dataclass(frozen=True, slots=True)
class World:
    """A world before its first day.

    Attributes:
        calendar: Its calendar.
        segment: Segment number of each account.
        state: Its accounts.
        rng: Source of chance of its days.
        others: Sources of chance for tables and replays, so that neither moves the days.
    """

    calendar: Calendar
    segment: Ints
    state: State
    rng: np.random.Generator
    others: tuple[np.random.Generator, ...]

    @classmethod
    def build(cls, accounts: int, months: int, seed: int) -> World:
        """Return the world of a seed."""
        streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)]
        calendar = Calendar.build(months)
        segment = streams[0].choice(len(SEGMENTS), size=accounts, p=BOOK.segments)
        state = first_state(segment, calendar, streams[0])
        return cls(calendar, segment, state, streams[1], tuple(streams[2:]))

    def days(self, log: Log | None = None) -> Iterator[int]:
        """Live through the days; yield each day before it begins, and the last day's end."""
        if log is not None:
            _write_earlier_terms(self.state, self.calendar, log)
        desk = Desk(self.calendar, self.rng, log, np.zeros(self.state.account.size, np.bool_))
        for day in range(self.calendar.last_day):
            yield day
            live(self.state, day, desk)
        yield self.calendar.last_day
        if log is not None:
            _write_unfinished(self.state, log)


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
