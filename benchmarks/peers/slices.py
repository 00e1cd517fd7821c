"""Cut a folder down to some accounts and cut-offs, and drop what became known late."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

CUTOFFS = 6


def cut(folder: Path, accounts: int) -> Path:
    """Write ``FOLDER/slice-<accounts>`` with the first accounts and the last cut-offs."""
    target = folder / f"slice-{accounts}"
    shutil.rmtree(target, ignore_errors=True)
    (target / "canonical").mkdir(parents=True)
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(
        "CREATE TABLE chosen AS SELECT DISTINCT account_id "
        f"FROM '{folder / 'snapshots.parquet'}' ORDER BY md5(account_id) LIMIT {accounts}"
    )
    kept = "account_id IN (FROM chosen)"
    for path in sorted((folder / "canonical").glob("*.parquet")):
        late = " AND known_at = event_time" if path.stem == "usage_events" else ""
        connection.execute(
            f"COPY (SELECT * FROM '{path}' WHERE {kept}{late} ORDER BY event_time) "
            f"TO '{target / 'canonical' / path.name}'"
        )
    shutil.copy(folder / "canonical" / "columns.json", target / "canonical")
    connection.execute(
        f"COPY (SELECT * FROM '{folder / 'snapshots.parquet'}' WHERE {kept} AND as_of IN "
        f"(SELECT DISTINCT as_of FROM '{folder / 'snapshots.parquet'}' ORDER BY as_of DESC "
        f"LIMIT {CUTOFFS}) ORDER BY as_of, account_id) TO '{target / 'snapshots.parquet'}'"
    )
    connection.close()
    return target
