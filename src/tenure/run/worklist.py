"""`tenure worklist`: whom each owner is to call, from the latest kept scores."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd

from tenure.core.config import Config
from tenure.core.errors import ModelError, Problem
from tenure.core.files import write_table
from tenure.core.progress import SILENT, Progress
from tenure.core.records.worklist import ListName, WorkItem, WorkListRecord
from tenure.core.times import show
from tenure.run.prepare import loaded
from tenure.score.attributes import account_attributes
from tenure.score.store.lists import ListStore
from tenure.score.store.store import StoredRun
from tenure.sources.dataset import Dataset
from tenure.success.absence import UNTRAINED
from tenure.success.scorecards.bands import still_bands
from tenure.success.scorecards.measure import LAST_NPS, REFERENCES, MeasureSet
from tenure.success.worklist.candidates import KINDS, TARGETS, Moment, with_deadlines
from tenure.success.worklist.lists import (
    HandedOut,
    Memory,
    hand_out,
    money,
    owner_lists,
    sized,
)
from tenure.success.worklist.overrides import overrides_during, with_overrides

ADVOCATES = ("advocacy", "last_nps", "references", "active_days")
NEEDS_TABLES = "needs the tables: surveys, touchpoints and usage say who advocates"


def run_worklist(
    config: Config,
    as_of: datetime | None = None,
    capacity: int | None = None,
    out: Path | None = None,
    progress: Progress = SILENT,
    *,
    remember: bool = True,
) -> WorkListRecord:
    """Return the work lists of all owners, from the latest kept scores up to a time.

    Args:
        config: The run.
        as_of: Latest prediction time of the scores; when observation stopped by default.
        capacity: Accounts per owner and list; that of the config by default.
        out: Where the items are also written, .csv or .parquet.
        progress: Told of each stage.
        remember: Whether the lists count as handed out, so that an account comes back only when
            something new is known of it.

    Raises:
        ModelError: If no scores are kept of that time or before.
    """
    with loaded(config, progress, thorough=False) as dataset, ListStore.open(config) as store:
        run = latest_run(store, as_of or dataset.observed_until)
        progress.stage("work lists")
        book = store.book(run, str(config.labels.horizon_days))
        book = with_advocates(with_names(book, config, dataset, run), config, dataset, run)
        record = work_lists(store, config, run, book, capacity, remember=remember)
    if out is not None:
        write_table(worklist_frame(record), out)
    return record


def latest_run(store: ListStore, as_of: datetime) -> StoredRun:
    """Return the latest kept run up to a time.

    Raises:
        ModelError: If there is none.
    """
    run = store.latest(as_of)
    if run is None:
        wanted = f"tenure score CONFIG --as-of {show(as_of)[:10]} --out scores.csv"
        fix = f"run `{wanted}` first{UNTRAINED}"
        thing = "the store"
        raise ModelError(Problem(thing, f"holds no scores of {show(as_of)} or before", fix=fix))
    return run


def with_names(
    book: pd.DataFrame, config: Config, dataset: Dataset, run: StoredRun
) -> pd.DataFrame:
    """Return a book with names, owners and opt-out dates, also where its run did not keep them."""
    if book["owner"].notna().any() or book["plan"].notna().any():
        return book
    ids = pd.Series(book.index, dtype="str")
    days = config.metrics.notice_period_days
    named = account_attributes(dataset, ids, run.as_of, days)
    return book.assign(**{name: pd.Series(column, book.index) for name, column in named.items()})


def with_advocates(
    book: pd.DataFrame, config: Config, dataset: Dataset, run: StoredRun
) -> pd.DataFrame:
    """Return a book with the likelihood to advocate and what it follows from."""
    measures = MeasureSet.of(config, dataset)
    rows = pd.DataFrame({"account_id": book.index.astype("str"), "as_of": pd.Timestamp(run.as_of)})
    values = measures.values(dataset, rows.astype({"as_of": "datetime64[us]"}))
    points = measures.points(
        values.assign(churn_probability=float("nan"), expansion_lift=float("nan"))
    )
    columns = (
        points["advocacy"],
        *(values[name] for name in (LAST_NPS, REFERENCES, "active_days_28d")),
    )
    return book.assign(
        **{name: column.to_numpy() for name, column in zip(ADVOCATES, columns, strict=True)}
    )


def work_lists(
    store: ListStore,
    config: Config,
    run: StoredRun,
    book: pd.DataFrame,
    capacity: int | None = None,
    *,
    remember: bool = False,
) -> WorkListRecord:
    """Return the work lists of a run; a book without the columns of `ADVOCATES` lists no advocate.

    `capacity` is accounts per owner and list, that of the config by default; with `remember` the
    lists count as handed out.
    """
    moment = Moment(run.as_of, config.labels.horizon_days, config.success.worklist.opt_out_days)
    bands = still_bands(store, config, run.as_of, None)
    book = sized(book, config, capacity).join(bands, how="left")
    book = with_overrides(book, overrides_during(store, run))
    dated = with_deadlines(book, moment)
    handed: dict[ListName, HandedOut] = {}
    absent: dict[ListName, str] = {}
    for kind in KINDS:
        if reason := _lacking(kind.name, book):
            absent[kind.name] = reason
            continue
        drivers = {}
        if kind.name in TARGETS:
            names = kind.candidates(dated).index
            drivers = store.drivers(run, str(moment.horizon_days), names)
        memory = Memory(store.last_listings(kind.name, run.as_of), store.arms(kind.name))
        out = handed[kind.name] = hand_out(kind, book, drivers, memory, (config, moment))
        if remember:
            store.hand_out(kind.name, run.as_of, out.listings, out.arms)
    return WorkListRecord(
        as_of=run.as_of,
        scored_at=run.scored_at,
        run_id=run.run_id,
        horizon_days=config.labels.horizon_days,
        owners=owner_lists(book, handed),
        money=money(book, handed),
        absent=absent,
    )


def _lacking(name: ListName, book: pd.DataFrame) -> str:
    """Return why a list cannot be made of a book; empty where it can."""
    if name == "advocacy":
        known = "advocacy" in book and book["advocacy"].notna().any()
        return "" if known else NEEDS_TABLES
    target = TARGETS[name]
    known = book[f"{target}_probability"].notna().any()
    return "" if known else f"the run has no probabilities of {target}"


def worklist_frame(record: WorkListRecord) -> pd.DataFrame:
    """Return the items of all lists as rows of a table: owner first, reasons joined by ``; ``."""
    rows = [
        {"owner": one.owner, **item.to_json()}
        | {name: "; ".join(getattr(item, name)) for name in ("reasons", "new")}
        for one in record.owners
        for item in one.items
    ]
    frame = pd.DataFrame(rows, columns=["owner", *WorkItem.model_fields])
    numbers = ["mrr", "probability", "amount", "advocacy"]
    frame[numbers] = frame[numbers].astype("float64")
    return frame.astype({"days_to_notice": "Int64"})
