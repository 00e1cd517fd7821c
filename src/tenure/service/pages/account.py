"""One account: its scores over the runs, what moves them, who it is like, what people said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenure.core.flat_row import MAIN
from tenure.core.records.explain import DriverRecord
from tenure.core.times import clock
from tenure.labels.targets import TARGETS
from tenure.report.account_page import history_svg, mrr_svg, one_per_time
from tenure.report.sentences.values import ABSTAINED, cut, date
from tenure.run.explain import stored_drivers
from tenure.score.model import Model
from tenure.score.store.book_records import EVERYBODY, BookFilter, BookQuery, BookRow
from tenure.score.store.feedback import Feedback, feedback_of, overrides_of, standing
from tenure.score.store.store import StoredRun, StoredScore
from tenure.service.pages.state import PageState
from tenure.service.pages.views import MissingPageError, allowed, chosen_run, run_before

if TYPE_CHECKING:
    from tenure.service.access import Caller


@dataclass(frozen=True)
class Driver:
    """A driver as the page shows it."""

    record: DriverRecord
    remarks: tuple[Feedback, ...]
    """What people said of it, latest first."""


def account_parts(
    state: PageState, account: str, as_of: str, since: str, who: Caller | None
) -> dict[str, Any]:
    """Return what the page of an account shows, by its name in the template.

    The run is that of the prediction time `as_of`, the latest where it is empty; changes are
    counted from the run of `since`, likewise the one before.

    Raises:
        MissingPageError: If there is no such account or run, or it is not for them to see.
    """
    runs = state.store.runs()
    run = chosen_run(runs, as_of)
    earlier = run_before(runs, run, since)
    row = book_row(state, account, run, earlier, who)
    past = state.store.history(account, MAIN, state.horizon, drivers=False)
    history = one_per_time([item for item in past if item.as_of <= run.as_of])
    scores = state.store.scores(run, [account])
    latest = {item.target: item for item in scores if item.horizon == state.horizon}
    remarks, models = feedback_of(state.store, account), state.models()
    overrides = overrides_of(state.store, account)
    return {
        "run": run,
        "since": earlier,
        "runs": runs,
        "horizon": state.horizon,
        "row": row,
        "reason": ABSTAINED.get(row.abstain_reason or "", ""),
        "score": latest.get(MAIN),
        "history": history,
        "chart": history_svg(history),
        "paid": mrr_svg(history),
        "targets": [
            (TARGETS[name], item, drivers(item, remarks, models.get(name)))
            for name, item in sorted(latest.items())
        ],
        "horizons": [item for item in scores if item.horizon != state.horizon],
        "remarks": remarks,
        "override": standing(overrides, MAIN, clock()).get(account),
        "overrides": overrides,
    }


def alike_parts(state: PageState, account: str, as_of: str, who: Caller | None) -> dict[str, Any]:
    """Return the accounts that are like one in a run, by its name in the template.

    Raises:
        MissingPageError: If there is no such account or run, or it is not for them to see.
    """
    run = chosen_run(state.store.runs(), as_of)
    row = book_row(state, account, run, None, who)
    return {"run": run, "row": row, "alike": state.books.alike(run, row, allowed(EVERYBODY, who))}


def book_row(
    state: PageState,
    account: str,
    run: StoredRun,
    since: StoredRun | None,
    who: Caller | None,
) -> BookRow:
    """Return an account's row in the book of a run.

    Raises:
        MissingPageError: If it has none, or it is not for them to see.
    """
    if not account:
        raise MissingPageError("The link names no account. Search the book for its name.")
    rows = state.books.rows(run, BookQuery(BookFilter(accounts=(account,)), since=since))
    if not rows or not (who is None or who.sees(rows[0].owner, rows[0].segment)):
        shown = cut(account, 60)
        rule = f"No account “{shown}” was scored on {date(run.as_of)}."
        raise MissingPageError(f"{rule} Search the book for its name, or choose another run.")
    return rows[0]


def drivers(score: StoredScore, remarks: Sequence[Feedback], model: Model | None) -> list[Driver]:
    """Return the drivers of a score, with what people said of each.

    The champion says more of drivers where it is the model that gave the score.
    """
    by_driver: dict[str | None, list[Feedback]] = defaultdict(list)
    for item in remarks:
        if item.target == score.target:
            by_driver[item.driver].append(item)
    records = stored_drivers(score, model)
    return [Driver(record, tuple(by_driver[record.code])) for record in records]
