"""Pages from the raw tables: what happened to an account lately, the work lists, the metrics."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tenure.core.errors import ConfigError, Problem
from tenure.core.records.metrics import Metric
from tenure.core.records.worklist import WorkListRecord
from tenure.core.times import as_utc
from tenure.report.account_page import usage_svg
from tenure.report.metrics import metric_bounds, metric_value
from tenure.report.sentences.formatting import count, plain, sentence
from tenure.report.sentences.values import named
from tenure.report.worklist import LEFT_OFF, TITLES
from tenure.run.account import compared_moments
from tenure.run.worklist import with_advocates, with_names, work_lists
from tenure.score.store.lists import ListStore
from tenure.score.store.store import StoredRun
from tenure.service.pages.account import book_row
from tenure.service.pages.state import PageState
from tenure.service.pages.views import MissingPageError, chosen_run, run_before
from tenure.sources.dataset import Dataset
from tenure.success.account.whole import whole_account
from tenure.success.definitions import METRICS
from tenure.success.interpret import SPLITS, MetricsRequest
from tenure.success.worklist.overrides import overrides_during

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from tenure.service.access import Caller

NO_TABLES = "The tables that the config names are not on this machine."


def lately_parts(
    state: PageState, account: str, as_of: str, since: str, who: Caller | None
) -> dict[str, Any]:
    """Return what happened to an account before a run, by its name in the template.

    Raises:
        MissingPageError: If there is no such account or run, or no tables.
    """
    runs = state.store.runs()
    run = chosen_run(runs, as_of)
    earlier = run_before(runs, run, since)
    row = book_row(state, account, run, None, who)
    if not state.raw.present:
        raise MissingPageError(NO_TABLES)

    def known(dataset: Dataset) -> Any:
        before = earlier.as_of if earlier and earlier.as_of < run.as_of else None
        moments = compared_moments(state.config, dataset, run.as_of, before)
        lists = ListStore(state.store)
        return whole_account(state.config, dataset, lists, account, moments)

    key = ("account", account, run.as_of, earlier and earlier.as_of)
    record = state.answered(state.raw.ask(key, known))
    usage = usage_svg(record.usage)
    return {"run": run, "row": row, "as_of": run.as_of, "record": record, "usage": usage}


def worklist_parts(state: PageState, owner: str, as_of: str, who: Caller | None) -> dict[str, Any]:
    """Return the work lists of an owner, the first of them where none is named.

    Raises:
        MissingPageError: If there is no such run or owner, or it is not for them to see.
    """
    runs = state.store.runs()
    run = chosen_run(runs, as_of)
    record = work_list_record(state, run)
    visible = [item for item in record.owners if who is None or who.owner in (None, item.owner)]
    if not visible or (who is not None and who.segment is not None):
        raise MissingPageError("There is no work list that you may see.")
    names = [item.owner or "" for item in visible]
    chosen = owner if owner in names else names[0]
    if owner and owner not in names:
        raise MissingPageError("There is no work list of that owner. Choose one of the list.")
    lists = next(item for item in visible if (item.owner or "") == chosen)
    return {
        "run": run,
        "runs": runs,
        "owners": names,
        "owner": chosen,
        "lists": [
            {
                "title": sentence(TITLES[name]),
                "items": [item for item in lists.items if item.list == name],
                "left": ", ".join(
                    f"{getattr(left, key):,} ({words})"
                    for key, words in LEFT_OFF.items()
                    if getattr(left, key)
                ),
            }
            for name, left in lists.left_off.items()
        ],
        "own": lists,
        "absent": [f"{sentence(TITLES[name])}: {why}" for name, why in record.absent.items()],
    }


def work_list_record(state: PageState, run: StoredRun) -> WorkListRecord:
    """Return the work lists of a run; those that need the tables only where these are here."""
    store = ListStore(state.store)
    config = state.config
    book = store.book(run, state.horizon)

    def lists(dataset: Dataset | None) -> WorkListRecord:
        whole = book
        if dataset is not None:
            named = with_names(book, config, dataset, run)
            whole = with_advocates(named, config, dataset, run)
        return work_lists(store, config, run, whole)

    if not state.raw.present:
        return lists(None)
    standing = frozenset(overrides_during(store, run).values())
    return state.answered(state.raw.ask(("lists", run.run_id, standing), lists))


def metrics_parts(state: PageState, query: QueryParams) -> dict[str, Any]:
    """Return the metrics of a period, by its name in the template.

    Raises:
        MissingPageError: If there are no tables.
        ConfigError: If the period or what splits it cannot be used.
    """
    if not state.raw.present:
        raise MissingPageError(NO_TABLES)
    start, end = (_time(query.get(name, ""), name) for name in ("from", "to"))
    by = tuple(name for name in query.getlist("by")[:2] if name)
    record = state.answered(state.raw.metrics(MetricsRequest(start, end, by)))
    several = len({(row.period_from, row.period_to) for row in record.metrics}) > 1
    first = record.metrics[0] if record.metrics else None
    return {
        "record": record,
        "metrics": [
            (named(name), METRICS[name].rule, [_metric(row) for row in rows])
            for name, rows in groupby(record.metrics, key=lambda row: row.name)
        ],
        "several": several,
        "grouped": any(row.group for row in record.metrics),
        "period": (first.period_from, first.period_to) if first else ("", ""),
        "splits": SPLITS,
        "by": by[0] if by else "",
        "start": query.get("from", "")[:10],
        "end": query.get("to", "")[:10],
    }


def _metric(row: Metric) -> dict[str, str]:
    return {
        "period": f"{row.period_from[:10]} to {row.period_to[:10]}",
        "group": ", ".join(f"{plain(name)} {value}" for name, value in row.group.items()),
        "value": metric_value(row, row.value),
        "bounds": metric_bounds(row),
        "n": count(row.n),
        "method": plain(row.method),
        "reason": row.reason or "",
    }


def _time(text: str, name: str) -> datetime | None:
    try:
        return as_utc(text) if text else None
    except ValueError:
        fix = "write it like 2026-01-31"
        raise ConfigError(Problem(name, "is not a day", text[:40], fix)) from None
