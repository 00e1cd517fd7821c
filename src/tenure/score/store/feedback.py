"""What people said of scores: of a driver, of an account, or a band of their own for a while.

Nothing is changed or removed: the latest override of an account and target counts until its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Select, bindparam, insert, select

from tenure.core.errors import DataError, Problem, suggestion
from tenure.labels.targets import TARGETS
from tenure.score.store.database import writing
from tenure.score.store.schema import FEEDBACK, OVERRIDES

if TYPE_CHECKING:
    from tenure.score.store.lists import ListStore
    from tenure.score.store.store import ScoreStore

VERDICTS = ("useful", "wrong", "known", "note")
BANDS = ("high", "medium", "low")
LONGEST_NOTE, LONGEST_AUTHOR = 4_000, 200
"""Characters."""


@dataclass(frozen=True)
class Feedback:
    """What a person said of a driver, or of an account."""

    account_id: str
    target: str
    run_id: str
    """The run whose score they looked at."""
    driver: str | None
    """Code of the driver, None for the account as a whole."""
    verdict: str
    """One of `VERDICTS`; ``note`` is a remark without one."""
    note: str | None
    author: str
    at: datetime


@dataclass(frozen=True)
class Override:
    """A person's band in place of the model's, from a time until another; both UTC."""

    account_id: str
    target: str
    run_id: str
    """The run whose score they looked at."""
    band: str
    """One of `BANDS`."""
    reason: str
    until: datetime
    author: str
    at: datetime


T = TypeVar("T", Feedback, Override)


def add_feedback(
    store: ScoreStore, item: Feedback, connection: Connection | None = None
) -> Feedback:
    """Return feedback as it was written into the store, in a transaction that is open or its own.

    Raises:
        DataError: If it says nothing, is too long, or nobody signs it.
    """
    note = _text("note", item.note or "", LONGEST_NOTE) or None
    driver = _text("driver", item.driver or "", LONGEST_AUTHOR) or None
    item = replace(item, driver=driver, note=note, author=_author(item.author))
    _one_of("target", item.target, tuple(TARGETS))
    _one_of("verdict", item.verdict, VERDICTS)
    if item.verdict == "note" and not note:
        raise DataError(Problem("note", "is empty", fix="write what others should know"))
    if item.verdict != "note" and not item.driver:
        fix = "name the driver, or leave a note"
        raise DataError(Problem("verdict", "is of no driver", item.verdict, fix))
    return _written(store, FEEDBACK, item, connection)


def add_override(store: ScoreStore | ListStore, item: Override) -> Override:
    """Return an override as it was written into the store.

    Raises:
        DataError: If it has no reason, ends before it begins, or nobody signs it.
    """
    reason = _text("reason", item.reason, LONGEST_NOTE)
    item = replace(item, reason=reason, author=_author(item.author))
    _one_of("target", item.target, tuple(TARGETS))
    _one_of("band", item.band, BANDS)
    if not reason:
        raise DataError(Problem("reason", "is empty", fix="say why the model is wrong here"))
    if item.until <= item.at:
        shown = f"{item.until:%Y-%m-%d}"
        raise DataError(Problem("until", "is not in the future", shown, "choose a later day"))
    return _written(store, OVERRIDES, item)


def feedback_of(store: ScoreStore, account: str) -> list[Feedback]:
    """Return what was said of an account, latest first."""
    return _read(store, FEEDBACK, Feedback, [account])


def overrides_of(store: ScoreStore, account: str) -> list[Override]:
    """Return the overrides of an account, latest first, past ones too."""
    return _read(store, OVERRIDES, Override, [account])


def standing_overrides(
    store: ScoreStore | ListStore, accounts: Iterable[str] | None, target: str, at: datetime
) -> dict[str, Override]:
    """Return account → its override at a time, where it has one.

    None stands for all accounts; `target` is that of the score.
    """
    chosen = None if accounts is None else list(accounts)
    return standing(_read(store, OVERRIDES, Override, chosen), target, at)


def standing(overrides: Iterable[Override], target: str, at: datetime) -> dict[str, Override]:
    """Return account → its override at a time, of overrides in the order of latest first."""
    latest: dict[str, Override] = {}
    for item in overrides:
        if item.target == target and item.at <= at:
            latest.setdefault(item.account_id, item)
    return {name: item for name, item in latest.items() if item.until > at}


def _written(
    store: ScoreStore | ListStore, table: Any, item: T, connection: Connection | None = None
) -> T:
    with nullcontext(connection) if connection else writing(store.engine) as writer:
        writer.execute(insert(table), {"project": store.project, **asdict(item)})
    return item


def _read(
    store: ScoreStore | ListStore, table: Any, kind: type[T], accounts: list[str] | None
) -> list[T]:
    values: dict[str, Any] = {"project": store.project}
    if accounts is not None:
        values["accounts"] = accounts
    names = tuple(item.name for item in fields(kind))
    statement = _statement(table, names, accounts is not None)
    with store.engine.connect() as connection:
        return [kind(*row) for row in connection.execute(statement, values).all()]


@lru_cache
def _statement(table: Any, names: tuple[str, ...], some: bool) -> Select[Any]:
    chosen = select(*(table.c[name] for name in names))
    chosen = chosen.where(table.c.project == bindparam("project"))
    if some:
        chosen = chosen.where(table.c.account_id.in_(bindparam("accounts", expanding=True)))
    return chosen.order_by(table.c.at.desc(), *(key.desc() for key in table.primary_key))


def _author(name: str) -> str:
    author = _text("author", name, LONGEST_AUTHOR)
    if not author:
        raise DataError(Problem("author", "is empty", fix="sign with your name"))
    return author


def _text(thing: str, value: str, longest: int) -> str:
    """Return a text without what no database holds, and without space around it."""
    text = value.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
    if len(text) > longest:
        rule = f"is longer than {longest:,} characters"
        raise DataError(Problem(thing, rule, f"{len(text):,} characters", "shorten it"))
    return text


def _one_of(thing: str, value: str, names: tuple[str, ...]) -> None:
    if value not in names:
        raise DataError(Problem(thing, "is not known", value[:100], suggestion(value, names)))
