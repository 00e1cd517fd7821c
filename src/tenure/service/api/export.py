"""The scores of a run as a stream: a line of JSON or an Arrow row for each account and target."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from starlette.responses import StreamingResponse

from tenure.explain.row_words import NUMBERS
from tenure.score.store.lookup import account_ids
from tenure.score.store.reading import COLUMNS
from tenure.score.store.store import ScoreStore, StoredRun
from tenure.service.api.calls import Call
from tenure.service.api.meaning import direction
from tenure.service.api.requests import ExportQuery
from tenure.service.api.responses import AccountFacts, Driver, Score, moment

if TYPE_CHECKING:
    from starlette.types import Message, Send

NDJSON, ARROW = "application/x-ndjson", "application/vnd.apache.arrow.stream"
AT_ONCE = 500
"""Accounts that are read together."""
SECONDS, BYTES = 10.0, 65_536
"""A client that does not take so many bytes in so long is dropped: others wait for its room."""
_SHOWN = [*AccountFacts.model_fields, "run_id", "as_of", "scored_at", *Score.model_fields]
_READ = [name for name in _SHOWN if name in COLUMNS]
_KINDS = {float: pa.float64(), int: pa.int64(), datetime: pa.timestamp("us", "UTC")}
_DRIVER = dict.fromkeys(Driver.model_fields, pa.string())
_DRIVER |= dict.fromkeys(NUMBERS, pa.float64()) | {"lever": pa.bool_()}


def _kind(name: str) -> pa.DataType:
    if name == "drivers":
        return pa.list_(pa.struct(list(_DRIVER.items())))
    return (
        _KINDS.get(COLUMNS[name].type.python_type, pa.string()) if name in COLUMNS else pa.string()
    )


SCHEMA = pa.schema([(name, _kind(name)) for name in _SHOWN])


class _Stream(StreamingResponse):
    """A stream that breaks off where its client does not read."""

    async def stream_response(self, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(SECONDS):
                await send(message)

        await super().stream_response(in_time)


async def export(call: Call, query: ExportQuery) -> StreamingResponse:
    """Stream the scores of a run, one line or row for each account, target and horizon."""
    run = await call.state.read(lambda: call.state.run(query.as_of))
    caller, store = call.caller, call.state.store
    ids = await call.state.read(
        lambda: account_ids(store, run, owner=caller.owner, segment=caller.segment)
    )
    write = _ndjson if query.format == "ndjson" else _Arrow()

    def piece(part: list[str]) -> bytes:
        return write(_rows(store, run, part))

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(ids), AT_ONCE):
            data = await call.state.read(partial(piece, ids[start : start + AT_ONCE]))
            for at in range(0, len(data), BYTES):
                yield data[at : at + BYTES]
        if isinstance(write, _Arrow):
            yield write.end()

    return _Stream(chunks(), media_type=NDJSON if query.format == "ndjson" else ARROW)


def _rows(store: ScoreStore, run: StoredRun, accounts: list[str]) -> Iterator[dict[str, Any]]:
    order = ("account_id", "target", "horizon")
    for row in store.read(_READ, order, run_no=run.number, account_id=accounts):
        values = dict(zip(_READ, row, strict=True))
        values |= {"direction": direction(values["target"]), "scale": "probability"}
        yield {name: values[name] for name in _SHOWN}


def _ndjson(rows: Iterator[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row, allow_nan=False, default=moment)}\n" for row in rows).encode()


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
