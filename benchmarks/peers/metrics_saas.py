"""The waterfall of subscriptions by saas-metrics, in an environment of its own.

    python metrics_saas.py SUBSCRIPTIONS.csv OUT.json FIRST LAST REPEATS

It reads a billing tape, which is made here: what each account pays at the end of each month from
FIRST to LAST, both the first of a month.  Writes the rows of its waterfall per currency, and the
processor seconds of the fastest of some runs, with reading the file and making the tape, and
without.
"""

from __future__ import annotations

import json
import sys
import time

import duckdb
from saas_metrics import analyze

TAPE = """
SELECT coalesce(r.currency, '') AS currency, r.account_id AS customer_id,
  CAST(e.edge AS DATE) - 1 AS period, sum(CAST(r.mrr AS DECIMAL(18, 2))) AS revenue
FROM (
  SELECT unnest(range(TIMESTAMP '{first}' + INTERVAL 1 MONTH, TIMESTAMP '{last}' + INTERVAL 1 DAY,
    INTERVAL 1 MONTH)) AS edge
) AS e
JOIN read_csv('{path}') AS r
  ON r.started_at < e.edge AND coalesce(r.ended_at, e.edge) >= e.edge
WHERE r.mrr > 0 AND coalesce(r.status, '') NOT IN ('trialing', 'paused', 'unpaid')
GROUP BY ALL
"""


def main() -> None:
    path, out, first, last, repeats = sys.argv[1:]
    whole, computed = [], []
    for _ in range(int(repeats)):
        started = time.process_time()
        tape = duckdb.sql(TAPE.format(path=path, first=first, last=last)).df()
        read = time.process_time()
        reports = {
            name: analyze(rows.drop(columns="currency"), allow_warnings=True)
            for name, rows in tape.groupby("currency")
        }
        whole.append(time.process_time() - started)
        computed.append(time.process_time() - read)
    refused = [report.checks for report in reports.values() if not report.ok]
    if refused:
        raise SystemExit(str(refused))
    rows = {
        name: report.waterfall.astype(str).to_dict("records") for name, report in reports.items()
    }
    with open(out, "w", encoding="utf-8") as file:  # noqa: PTH123 - the same on every Python
        json.dump({"whole": min(whole), "computed": min(computed), "rows": rows}, file)


if __name__ == "__main__":
    main()
