"""Times that are written plainly are the times that SQL reads; others are left alone."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tenure.engine.duckdb import DuckDBEngine
from tenure.sources import coerce
from tenure.sources.plain import plain_columns, plain_times

PLAIN = (
    "2024-03-01T10:00:00",
    "2024-02-29 23:59:59",
    "1999-12-31",
    "2024-03-01T10:00",
    "2199-03-01T10:00:00.123456",
    "2024-03-01T10:00:00Z",
    "2024-03-01",
)
OTHERS = (
    "2023-02-29T10:00:00",
    "2024-03-01T24:00:00",
    "2024-03-01T10:60:00",
    "1824-03-01T10:00:00",
    "2224-03-01T10:00:00",
    "2024-03-01T10:00:00+02:00",
    "2024-03-01T10:00:00.1234567",
    " 2024-03-01T10:00:00",
    "2024-03-01T10:00:0x",
    "2024/03/01T10:00:00",
    "2024-03-01\n10:00:00",
    "\u0662\u0660\u0662\u0664-03-01T10:00:00",
    "9999-12-31",
    "NaT",
    "",
)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("texts", [PLAIN[:1], PLAIN[:2], PLAIN, (PLAIN[0], None, PLAIN[0])])
def test_plain_times_are_those_of_sql(texts: tuple[str | None, ...], zone: str) -> None:
    given = [text for text in texts if zone == "UTC" or not (text or "").endswith("Z")]
    engine = DuckDBEngine(threads=1, memory_limit="500MB")
    found = plain_times(given, zone)
    assert found is not None
    engine.register("given", pa.table({"x": pa.array(given, pa.string()), "t": found}))
    read = coerce.coerce("x", "VARCHAR", "time", zone=zone)
    typed = coerce.coerce("t", "TIMESTAMP", "time", zone=zone)
    rows = engine.fetch(f"SELECT {read} AS one, {typed} AS other FROM given").to_pylist()
    assert [row["one"] for row in rows] == [row["other"] for row in rows]
    assert [row["one"] is None for row in rows] == [text is None for text in given]
    engine.close()


@pytest.mark.parametrize("text", OTHERS)
@pytest.mark.parametrize("beside", [(), PLAIN[:1], PLAIN])
def test_other_texts_are_left_alone(text: str, beside: tuple[str, ...]) -> None:
    assert plain_times([*beside, text], "UTC") is None


def test_a_time_of_another_zone_than_its_own_is_left_alone() -> None:
    assert plain_times(["2024-03-01T10:00:00Z"], "Europe/Berlin") is None


@pytest.mark.parametrize("other", [None, "2024-03-01T10:00:0x", "2024-03-01T10:00"])
def test_columns_are_read_as_each_alone(other: str | None) -> None:
    given: list[list[str | None]] = [
        [PLAIN[0], None, PLAIN[0]],
        [PLAIN[2]],
        [None, PLAIN[0]],
        [other, PLAIN[0]],
    ]
    for values, found in zip(given, plain_columns(given, "UTC"), strict=True):
        alone = plain_times(values, "UTC")
        assert (found is None) == (alone is None)
        assert alone is None or found is None or found.tolist() == alone.tolist()
