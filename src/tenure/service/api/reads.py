"""Answers from the store: what was scored, read by a pool of threads."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from tenure.core.errors import DataError, Problem
from tenure.core.files import digest
from tenure.core.times import clock, show
from tenure.score.store.book_records import BookFilter, BookQuery
from tenure.score.store.database import Connection
from tenure.score.store.feedback import Feedback, add_feedback
from tenure.score.store.idempotency import RepeatKey, once
from tenure.score.store.lookup import StoredAccount, accounts_of
from tenure.score.store.store import StoredRun, StoredScore
from tenure.service.api.calls import Call
from tenure.service.api.checks import check_count, check_targets
from tenure.service.api.meaning import direction
from tenure.service.api.problems import Refusal, refused
from tenure.service.api.requests import (
    AccountQuery,
    AccountsQuery,
    FeedbackRequest,
    HistoryQuery,
    LookupRequest,
    whole_id,
)
from tenure.service.api.responses import (
    Account,
    AccountFacts,
    AccountPage,
    AccountRow,
    FeedbackEntry,
    History,
    HistoryItem,
    Lookup,
    Missing,
    Run,
    Score,
)

NO_SCORE = "no_score"
LONGEST_KEY = 200
"""Characters of an ``Idempotency-Key``."""
AccountOf = tuple[StoredRun, StoredAccount]


async def list_accounts(call: Call, query: AccountsQuery) -> AccountPage:
    """List the accounts of the last run."""
    return await call.state.read(lambda: _page(call, query))


def _page(call: Call, query: AccountsQuery) -> AccountPage:
    state, caller = call.state, call.caller
    owner = _within("owner", query.owner, caller.owner)
    segment = _within("segment", query.segment, caller.segment)
    mark = digest(caller.name, query.model_dump_json(exclude={"cursor", "limit"}))
    run, offset = _resumed(call, query.cursor, mark)
    since = _run_since(call, query)
    where = BookFilter(
        owner=owner,
        segment=segment,
        plan=query.plan,
        band=query.band,
        search=query.search,
    )
    wish = BookQuery(
        where, query.sort, query.order == "desc", since, offset, query.limit + 1, query.min_change
    )
    rows = state.books.rows(run, wish)
    more = len(rows) > query.limit
    return AccountPage(
        run=run_answer(run),
        changed_since=run_answer(since) if since else None,
        horizon=state.books.horizon,
        model_versions=dict(state.versions(run)),
        items=tuple(map(AccountRow.model_validate, rows[: query.limit])),
        next_cursor=_cursor(run, offset + query.limit, mark) if more else None,
    )


def _run_since(call: Call, query: AccountsQuery) -> StoredRun | None:
    """Return the run with which accounts are compared, None where they are not.

    Raises:
        Refusal: If there is none so early, or none is named where one is needed.
    """
    moment = query.changed_since
    if moment is None:
        field = "min_change" if query.min_change else "sort" if query.sort == "move" else ""
        if field:
            fix = "give changed_since, the time of an earlier run"
            raise Refusal(Problem(field, "has no run to compare with", fix=fix))
        return None
    if (since := call.state.store.latest(moment)) is None:
        rule, fix = "is before the first run", "give the time of a run, or a later one"
        raise Refusal(Problem("changed_since", rule, show(moment), fix))
    return since


def _within(name: str, wanted: str, limit: str | None) -> str:
    """Return what a caller may see of what it wants to see.

    Raises:
        Refusal: 404 if that is none of it.
    """
    if limit is None or wanted in ("", limit):
        return limit or wanted
    raise Refusal(Problem(name, "is not one that this key may see", wanted), status=404)


def _cursor(run: StoredRun, offset: int, mark: str) -> str:
    text = json.dumps([run.number, offset, mark])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _resumed(call: Call, cursor: str, mark: str) -> tuple[StoredRun, int]:
    """Return the run and the place where a page begins: of the last run where there is no cursor.

    Raises:
        Refusal: If the cursor is none, is of another query, or its run stands no more.
    """
    if not cursor:
        return call.state.run(), 0
    fix = "begin again without a cursor"
    try:
        number, offset, of_query = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        fine = isinstance(number, int) and isinstance(offset, int) and 0 <= offset < 2**31
        fine = fine and hmac.compare_digest(str(of_query).encode(), mark.encode())
    except (ValueError, TypeError):
        fine = False
    if not fine:
        raise Refusal(Problem("cursor", "is not one of these parameters", cursor, fix))
    latest = call.state.run()
    runs = (latest,) if latest.number == number else call.state.store.runs()
    for run in runs:
        if run.number == number:
            return run, offset
    raise Refusal(Problem("cursor", "is of a run that stands no more", cursor, fix), status=410)


async def one_account(call: Call, query: AccountQuery) -> Account:
    """Return an account and its scores in the last run."""
    check_targets(query.targets, call.state.config.targets, "target")
    return await call.state.read(lambda: account_answer(*of_last_run(call), query.targets))


def of_last_run(call: Call) -> AccountOf:
    """Return the last run and the account that a path names.

    Raises:
        Refusal: 404 if the run has no such account, or the caller may not see it.
    """
    name, run = whole_id(call.path["account_id"]), call.state.run()
    call.accounts = [name]
    return run, _seen(call, run, name)


def _seen(call: Call, run: StoredRun, name: str) -> StoredAccount:
    """Return an account of a run.

    Raises:
        Refusal: 404 if the run has no such account, or the caller may not see it.
    """
    account = accounts_seen(call, run, [name]).get(name)
    if account is None:
        fix = "GET /v1/accounts lists those that have one"
        raise Refusal(Problem("account_id", _absent(run), name, fix), status=404)
    return account


def _absent(run: StoredRun) -> str:
    return f"has no score in the run of {show(run.as_of)}"


def accounts_seen(call: Call, run: StoredRun, ids: Sequence[str]) -> dict[str, StoredAccount]:
    """Return account_id → an account of a run, of those that the caller may see."""
    caller = call.caller
    return accounts_of(call.state.store, run, ids, owner=caller.owner, segment=caller.segment)


def account_answer(
    run: StoredRun, account: StoredAccount, targets: Sequence[str] | None = None
) -> Account:
    """Return an account and its scores, of all targets or some."""
    first = account.scores[0]
    sources = {
        name: account if hasattr(account, name) else first for name in AccountFacts.model_fields
    }
    return Account(
        **{name: getattr(source, name) for name, source in sources.items()},
        run=run_answer(run),
        scores=tuple(_score(one) for one in account.scores if not targets or one.target in targets),
    )


@lru_cache(maxsize=64)
def run_answer(run: StoredRun) -> Run:
    """Return a run as it is answered."""
    return Run.model_validate(run)


_SCORE = [name for name in Score.model_fields if name not in ("direction", "scale")]


def _score(score: StoredScore) -> Score:
    values = {name: getattr(score, name) for name in _SCORE}
    return Score(**values, direction=direction(score.target))


async def account_history(call: Call, query: HistoryQuery) -> History:
    """Return the scores that an account had in the runs of the store."""
    check_targets(query.targets, call.state.config.targets, "target")
    return await call.state.read(lambda: _history(call, query))


def _history(call: Call, query: HistoryQuery) -> History:
    _, account = of_last_run(call)
    by_run: dict[str, list[StoredScore]] = {}
    store, target = call.state.store, query.target or None
    for score in store.history(account.account_id, target, runs=query.limit):
        by_run.setdefault(score.run_id, []).append(score)
    runs = {run.run_id: run for run in store.runs()}
    items = [
        HistoryItem(run=run_answer(runs[run_id]), scores=tuple(map(_score, scores)))
        for run_id, scores in reversed(by_run.items())
        if run_id in runs
    ]
    return History(account_id=account.account_id, items=tuple(items))


async def lookup(call: Call, ask: LookupRequest) -> Lookup:
    """Look up the scores of many accounts."""
    call.accounts = list(ask.account_ids)
    check_count(len(call.accounts), call.state.config, "account_ids")
    check_targets(ask.targets, call.state.config.targets)
    return await call.state.read(lambda: _looked_up(call, ask))


def _looked_up(call: Call, ask: LookupRequest) -> Lookup:
    run = call.state.run(ask.as_of)
    wanted = list(dict.fromkeys(ask.account_ids))
    accounts = accounts_seen(call, run, wanted)
    return Lookup(
        run=run_answer(run),
        accounts=tuple(
            account_answer(run, accounts[name], ask.targets) for name in wanted if name in accounts
        ),
        missing=tuple(
            Missing(account_id=name, reason=NO_SCORE, detail=_absent(run))
            for name in wanted
            if name not in accounts
        ),
    )


async def give_feedback(call: Call, ask: FeedbackRequest) -> FeedbackEntry:
    """Write down what is right or wrong with a score."""
    call.accounts = [ask.account_id]
    return await call.state.read(lambda: _feedback(call, ask))


def _feedback(call: Call, ask: FeedbackRequest) -> FeedbackEntry:
    store, run_id = call.state.store, ask.run_id
    runs = {run.run_id: run for run in store.runs()} if run_id else {}
    run = runs.get(run_id) if run_id else call.state.run()
    if run is None:
        raise Refusal(Problem("run_id", "is not a run in the store", run_id or ""), status=404)
    account = _seen(call, run, ask.account_id)
    if ask.target not in (targets := {score.target for score in account.scores}):
        fix = f"one of {', '.join(sorted(targets))}"
        raise Refusal(Problem("target", "is none of the scores", ask.target, fix), status=404)
    item = Feedback(
        account_id=ask.account_id,
        target=ask.target,
        run_id=run.run_id,
        driver=ask.driver,
        verdict=ask.verdict,
        note=ask.note,
        author=call.caller.label or call.caller.name,
        at=clock().replace(microsecond=0),
    )

    def write(connection: Connection) -> dict[str, Any]:
        return FeedbackEntry(**asdict(add_feedback(store, item, connection))).to_json()

    return FeedbackEntry(**_once(call, ask, write))


def _once(
    call: Call, ask: FeedbackRequest, write: Callable[[Connection], dict[str, Any]]
) -> Mapping[str, Any]:
    """Return the answer of a post that writes, which a repeated ``Idempotency-Key`` gets again.

    Raises:
        Refusal: If the request cannot be written, or the key came with another one.
    """
    text = call.headers.get("idempotency-key", "")
    if len(text) > LONGEST_KEY or not text.isprintable():
        fix = f"at most {LONGEST_KEY} printable characters"
        raise Refusal(Problem("Idempotency-Key", "cannot be used", text, fix))
    same = digest(call.endpoint, ask.model_dump_json())
    key = RepeatKey(call.caller.name, text, same) if text else None
    try:
        return once(call.state.engine, key, write)
    except DataError as error:
        refusal = refused(error)
        refusal.status = 422 if key and refusal.problems[0].thing == "Idempotency-Key" else 400
        raise refusal from None
