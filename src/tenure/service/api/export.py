"""The scores of a run as a stream: a line of JSON or an Arrow row for each account and target."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from starlette.responses import StreamingResponse

from tenure.score.store.lookup import StoredAccount, account_ids, accounts_of
from tenure.service.api.reads import account_answer
from tenure.service.api.requests import ExportQuery
from tenure.service.api.responses import AccountFacts, Driver, Run, Score

if TYPE_CHECKING:
    from tenure.score.store.store import StoredRun
    from tenure.service.api.calls import Call

NDJSON, ARROW = "application/x-ndjson", "application/vnd.apache.arrow.stream"
AT_ONCE = 500
"""Accounts that are read together."""
_ACCOUNT = list(AccountFacts.model_fields)
_RUN = ("run_id", "as_of", "scored_at")
_NUMBERS = {
    *("mrr", "probability", "lo", "hi", "base_rate", "log_odds", "percentile", "amount_at_risk"),
    *("expected_amount", "data_coverage", "value_num", "peer_value_num", "contribution"),
}
_INTEGERS = {"horizon_days", "rank"}


def _fields(names: list[str]) -> list[pa.Field]:
    kinds = {name: pa.float64() for name in _NUMBERS} | {name: pa.int64() for name in _INTEGERS}
    kinds["lever"] = pa.bool_()
    return [pa.field(name, kinds.get(name, pa.string())) for name in names]


_SCORE = [name for name in Score.model_fields if name != "drivers"]
_DRIVERS = pa.list_(pa.struct(_fields(list(Driver.model_fields))))
SCHEMA = pa.schema([*_fields([*_ACCOUNT, *_RUN, *_SCORE]), pa.field("drivers", _DRIVERS)])


async def export(call: Call, query: ExportQuery) -> StreamingResponse:
    """Stream the scores of a run, one line or row for each account, target and horizon."""
    run = await call.state.read(lambda: call.state.run(query.as_of))
    caller, store = call.caller, call.state.store
    ids = await call.state.read(
        lambda: account_ids(store, run, owner=caller.owner, segment=caller.segment)
    )
    write = _ndjson if query.format == "ndjson" else _Arrow()

    def piece(part: list[str]) -> bytes:
        return write(_rows(run, accounts_of(store, run, part)))

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(ids), AT_ONCE):
            yield await call.state.read(partial(piece, ids[start : start + AT_ONCE]))
        if isinstance(write, _Arrow):
            yield write.end()

    return StreamingResponse(chunks(), media_type=NDJSON if query.format == "ndjson" else ARROW)


def _rows(run: StoredRun, accounts: dict[str, StoredAccount]) -> Iterator[dict[str, Any]]:
    about = Run.model_validate(run).to_json()
    about = {name: about[name] for name in _RUN}
    for account in accounts.values():
        answer = account_answer(run, account).to_json()
        own = {name: answer[name] for name in _ACCOUNT}
        for score in answer["scores"]:
            yield {**own, **about, **score}


def _ndjson(rows: Iterator[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row, allow_nan=False)}\n" for row in rows).encode()


class _Arrow:
    """Writes rows into a stream of Arrow's, piece by piece."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._writer = pa.ipc.new_stream(self._buffer, SCHEMA)

    def __call__(self, rows: Iterator[dict[str, Any]]) -> bytes:
        """Return the bytes that some rows add."""
        self._writer.write_batch(pa.RecordBatch.from_pylist(list(rows), schema=SCHEMA))
        return self._taken()

    def end(self) -> bytes:
        """Return the end of the stream."""
        self._writer.close()
        return self._taken()

    def _taken(self) -> bytes:
        data = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return data
