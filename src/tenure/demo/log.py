"""The facts that the simulation records while it runs, from which the tables are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Ints
from tenure.demo.state import State

Column = npt.NDArray[Any]
CONTRACT = "account", "serial", "status", "plan", "discount", "seats", "annual", "renew", "notice"


class Log:
    """Facts by table: columns of equal length, collected in pieces."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[Mapping[str, Column]]] = {}

    def add(self, table: str, **columns: Column) -> None:
        """Add facts; a piece without rows only names the columns."""
        pieces = self._pieces.setdefault(table, [])
        if not pieces or len(next(iter(columns.values()))):
            pieces.append(columns)

    def read(self, table: str) -> Mapping[str, Column]:
        """Return all facts of a table, in the order in which they were written."""
        pieces = self._pieces[table]
        if len(pieces) > 1:
            names = pieces[0]
            whole = {name: np.concatenate([piece[name] for piece in pieces]) for name in names}
            self._pieces[table] = pieces = [whole]
        return pieces[0]


def write_rows(
    state: State, rows: Ints, end: Ints, reason: int, log: Log, *, main: bool = True
) -> None:
    """Write rows of the main subscriptions, or of the add-ons, as they are at their end."""
    price = np.round(state.seats[rows] * state.unit[rows], 2) if main else state.add_on[rows]
    log.add(
        "subscriptions",
        main=np.full(rows.size, main),
        start=(state.row if main else state.add_on_row)[rows],
        end=end,
        price=price,
        reason=np.full(rows.size, reason),
        **{name: getattr(state, name)[rows] for name in CONTRACT},
    )


def write_invoices(state: State, rows: Ints, paid: Ints, log: Log) -> None:
    """Write open invoices down with the day of their payment."""
    log.add(
        "invoices",
        account=state.account[rows],
        issued=state.invoice[rows],
        amount=state.amount[rows],
        paid=paid,
    )


def write_tickets(state: State, slot: Ints, row: Ints, resolved: Ints, log: Log) -> None:
    """Write open tickets down with the day of their resolution."""
    log.add(
        "tickets",
        account=state.account[row],
        opened=state.opened[slot, row],
        resolved=resolved,
        priority=state.priority[slot, row],
        escalated=state.escalated[slot, row],
    )
