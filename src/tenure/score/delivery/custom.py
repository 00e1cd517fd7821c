"""Any other system: a URL that takes JSON, and a table that a warehouse or a reverse ETL reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tenure.core.errors import first_line
from tenure.core.sections import ExportConfig
from tenure.score.delivery.adapters import Adapter, Answer, Item
from tenure.score.delivery.channel import Channel, DeliveryError, shown
from tenure.score.store.database import INSERTS


def _http(channel: Channel, settings: ExportConfig, items: Sequence[Item]) -> Answer:
    rows = [{settings.key: item.account_id, **item.values} for item in items]
    answer = channel.call("POST", str(settings.url), json={"rows": rows})
    if not answer.content:
        return Answer()
    try:
        body = answer.json()
    except ValueError:
        raise DeliveryError(f"the answer is not JSON: {shown(answer)}") from None
    refused = body.get("refused", ()) if isinstance(body, dict) else ()
    return Answer({str(row[settings.key]): str(row.get("reason", "refused")) for row in refused})


def _http_headers(settings: ExportConfig) -> dict[str, str]:
    token = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
    return {**token, **settings.headers}


HTTP = Adapter(
    "a URL of your own",
    _http,
    needs=("url", "key", "columns"),
    rows=500,
    headers=_http_headers,
    limits='`POST {"rows": [...]}` in batches of 500; an answer `{"refused": [{key, "reason"}]}` '
    "names rows that were not taken, an empty one takes all, and one that is not JSON none",
)


def _table(_: Channel, settings: ExportConfig, items: Sequence[Item]) -> Answer:
    place = sa.make_url(str(settings.url))
    if place.get_backend_name() == "postgresql":
        place = place.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(place)
    try:
        with engine.begin() as connection:
            schema, _dot, name = settings.object.rpartition(".")
            table = sa.Table(
                name, sa.MetaData(), *_columns(settings.key, items), schema=schema or None
            )
            table.create(connection, checkfirst=True)
            adding = INSERTS[connection.dialect.name](table)
            changes = {column: adding.excluded[column] for column in items[0].values}
            upsert = adding.on_conflict_do_update(index_elements=[settings.key], set_=changes)
            rows = [{settings.key: item.account_id, **item.values} for item in items]
            connection.execute(upsert, rows)
    except SQLAlchemyError as error:
        raise DeliveryError(first_line(error)) from None
    finally:
        engine.dispose()
    return Answer()


def _columns(key: str, items: Sequence[Item]) -> list[sa.Column[Any]]:
    """Return the columns of a table that does not exist yet."""
    columns: list[sa.Column[Any]] = [sa.Column(key, sa.String, primary_key=True)]
    for name in items[0].values:
        values = [item.values[name] for item in items if item.values[name] is not None]
        number = bool(values) and not any(isinstance(value, str | bool) for value in values)
        columns.append(sa.Column(name, sa.Double if number else sa.String))
    return columns


TABLE = Adapter(
    "a table of PostgreSQL or SQLite",
    _table,
    needs=("url", "object", "key", "columns"),
    rows=5_000,
    per_minute=6_000,
    limits="rows are inserted or updated by `key` in one transaction a batch; the table `object` "
    "is created where there is none",
)
