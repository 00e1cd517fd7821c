"""Score accounts from their own rows: `tenure.score.posted.score_posted`, warm.

    python peers/tenure_account.py FOLDER

Trains on a small demo world (it has every table of the contract) in FOLDER, again only where the
package has changed since; then scores an account with a middling number of rows, and the hundred
accounts around it together, as they would be posted: plain values, times as text.  Prints one JSON
line with medians and the 95th percentile in seconds.
"""

from __future__ import annotations

import gc
import json
import shutil
import sys
import time
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import duckdb

import tenure
from tenure.demo import write_world
from tenure.engine import open_embedded
from tenure.features.plan.config_checks import load_config
from tenure.run.train import run_train
from tenure.score.posted import score_posted
from tenure.score.score import load_models

ACCOUNTS = 600
WARM_UP, TIMES = 5, 50
MANY, TIMES_MANY = 100, 10
CONFIG = """name: speed
data:
  path: data
  constant_attributes: [region]
paths:
  models: {folder}/models
  runs: {folder}/runs
"""
Tables = dict[str, list[dict[str, Any]]]


def prepare(folder: Path) -> Path:
    """Return a config that has been trained."""
    config, stamp = folder / "config.yaml", folder / "trained"
    sources = sorted(Path(tenure.__file__).parent.rglob("*.py"))
    now = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    if not stamp.exists() or stamp.read_text() != now:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        write_world(folder / "data", seed=1, accounts=ACCOUNTS)
        config.write_text(CONFIG.format(folder=folder.resolve()), encoding="utf-8")
        run_train(load_config(config))
        stamp.write_text(now)
    return config


def rows_of(data: Path, accounts: int) -> tuple[Tables, datetime]:
    """Return the rows of accounts with a middling number of them, and the day of the last event."""
    connection = duckdb.connect(config={"threads": 2})
    files = {path.name.split(".")[0]: path for path in sorted(data.iterdir()) if path.is_file()}
    names = connection.sql(
        "SELECT account_id FROM (SELECT account_id, count(*) AS n "
        f"FROM '{files['usage_events']}' WHERE account_id IN (SELECT account_id "
        f"FROM '{files['subscriptions']}' WHERE ended_at IS NULL AND mrr > 0) GROUP BY account_id) "
        "ORDER BY n, account_id"
    ).fetchall()
    first = (len(names) - accounts + 1) // 2
    chosen = ", ".join(f"'{name}'" for (name,) in names[first : first + accounts])
    tables: Tables = {}
    for table, path in files.items():
        relation = connection.sql(f"SELECT * FROM '{path}'")
        if "account_id" in relation.columns:
            rows = relation.filter(f"account_id IN ({chosen})").to_arrow_table().to_pylist()
            tables[table] = [{key: plain(value) for key, value in row.items()} for row in rows]
    last = connection.sql(f"SELECT max(occurred_at) FROM '{files['usage_events']}'").fetchall()
    return tables, datetime.fromisoformat(str(last[0][0])).replace(tzinfo=None)


def plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def main() -> None:
    folder = Path(sys.argv[1])
    config = load_config(prepare(folder))
    models = load_models(config)
    # As the service does once its models are there: collections need not walk them.
    gc.collect()
    gc.freeze()
    engine = open_embedded(config)

    def timed(accounts: int, times: int) -> tuple[list[float], dict[str, int]]:
        tables, as_of = rows_of(folder / "data", accounts)
        took = []
        for _ in range(times):
            started = time.perf_counter()
            scores = score_posted(tables, models, config, as_of, engine)
            took.append(time.perf_counter() - started)
        if len(scores.rows) != accounts:
            raise SystemExit(
                f"{len(scores.rows)} rows of {accounts}; not asked: {scores.not_asked}"
            )
        return took, {name: len(rows) for name, rows in tables.items()}

    one, counted = timed(1, WARM_UP + TIMES)
    many, counted_many = timed(MANY, TIMES_MANY)
    engine.close()
    gc.unfreeze()
    cuts = quantiles(one[WARM_UP:], n=20)
    print(
        json.dumps(
            {
                "median": cuts[9],
                "p95": cuts[18],
                "targets": len(models),
                "times": TIMES,
                "rows": counted,
                "many": MANY,
                "median_many": median(many),
                "rows_many": sum(counted_many.values()),
            }
        )
    )


if __name__ == "__main__":
    main()
