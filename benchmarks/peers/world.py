"""The generated data of the feature benchmark: paying accounts and what they did over three years.

    python benchmarks/peers/world.py FOLDER MILLIONS

writes Parquet files in canonical columns, sorted by time, and the usage events once more as a
hive-partitioned folder.  Every value is a hash of its row number, so the same call gives the same
rows whatever the number of threads.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import duckdb

ACCOUNTS = 20_000
TICKETS = 200_000
SURVEYS = 100_000
START = datetime(2023, 1, 1)
CUTOFFS = tuple(datetime(2024 + (month + 1) // 12, (month + 1) % 12 + 1, 1) for month in range(24))
"""The first of each month, February 2024 to January 2026."""
NEW_DAY = datetime(2026, 1, 15)
"""The day that is scored after the fact; observation stops there."""
EVENTS = (
    "login", "dashboard_viewed", "report_created", "report_exported", "record_edited",
    "search_run", "file_uploaded", "comment_added", "api_called", "automation_run",
    "user_invited", "settings_changed",
)  # fmt: skip
SHARES = (22, 18, 9, 5, 14, 11, 4, 6, 6, 2, 1, 2)
"""How often each event is used, in percent."""
USERS = 60
"""Users of the largest accounts."""

MACROS = """
CREATE MACRO u(id, salt) AS (hash(id * 1000003 + salt) >> 11) / 9007199254740992.0;
CREATE MACRO normal(id, salt) AS
    sqrt(-2 * ln(greatest(u(id, salt), 1e-12))) * cos(2 * pi() * u(id, salt + 1));
CREATE MACRO between_times(low, high, share) AS
    make_timestamp(CAST(epoch_us(low) + share * (epoch_us(high) - epoch_us(low)) AS BIGINT));
CREATE MACRO picked(id, salt, choices) AS
    choices[1 + CAST(floor(u(id, salt) * len(choices)) AS INT)];
"""

BASE = f"""
CREATE TABLE base AS
SELECT *, greatest(created_at, TIMESTAMP '{START}') AS active_from,
    CASE WHEN u(no, 9) < 0.3
        THEN between_times(greatest(created_at, TIMESTAMP '2024-01-01'), TIMESTAMP '{NEW_DAY}',
                           0.05 + 0.95 * u(no, 10))
    END AS ended_at
FROM (
    SELECT no, format('a{{:05d}}', no) AS account_id,
        date_trunc('day', between_times(
            TIMESTAMP '2020-01-01', TIMESTAMP '2025-09-01', sqrt(u(no, 1)))) AS created_at,
        exp(1.2 * normal(no, 2)) AS weight,
        1 + least({USERS - 1}, CAST(floor(6 * exp(1.2 * normal(no, 2))) AS INT)) AS users
    FROM range({ACCOUNTS}) AS t(no)
)
"""

ACCOUNT = """
SELECT account_id, created_at, picked(no, 20, ['smb', 'mid', 'enterprise']) AS segment,
    picked(no, 21, ['retail', 'software', 'finance', 'health']) AS industry,
    picked(no, 22, ['DE', 'FR', 'GB', 'US']) AS country, users * 10 AS employees
FROM base ORDER BY created_at, account_id
"""

SUBSCRIPTION = f"""
WITH parts AS (
    SELECT *, u(no, 30) < 0.3 AS changes, between_times(
        created_at, coalesce(ended_at, TIMESTAMP '{NEW_DAY}'), 0.2 + 0.6 * u(no, 31)) AS changed_at,
        CASE WHEN u(no, 32) < 0.5 THEN '1m' ELSE '12m' END AS billing_period,
        round(20 + 30 * u(no, 33), 2) AS price
    FROM base
), rows AS (
    SELECT no, account_id, 1 AS part, created_at AS started_at,
        CASE WHEN changes THEN changed_at ELSE ended_at END AS ended_at, users AS seats,
        CASE WHEN changes THEN 'upgrade' WHEN ended_at IS NOT NULL THEN 'voluntary' END
            AS end_reason, billing_period, price
    FROM parts
    UNION ALL
    SELECT no, account_id, 2, changed_at, ended_at,
        greatest(1, CAST(users * (0.7 + u(no, 34)) AS INT)),
        CASE WHEN ended_at IS NOT NULL THEN 'voluntary' END, billing_period, price
    FROM parts WHERE changes
)
SELECT format('s{{:05d}}-{{}}', no, part) AS subscription_id, account_id, started_at, ended_at,
    picked(no, 35, ['team', 'business']) AS plan, round(seats * price, 2) AS mrr, 'EUR' AS currency,
    seats, billing_period, end_reason
FROM rows WHERE ended_at IS NULL OR ended_at > started_at ORDER BY started_at, subscription_id
"""

LATE = "CASE WHEN u(no, 48) < 0.05 THEN to_microseconds(CAST(u(no, 49) * 20 * 86400e6 AS BIGINT)) \
ELSE INTERVAL 0 SECOND END"


def usage(millions: float) -> str:
    """Return the statement for usage events: heavy accounts have more, few users do most."""
    steps = [sum(SHARES[: index + 1]) for index in range(len(SHARES))]
    event = " ".join(
        f"WHEN u(no, 44) * 100 < {step} THEN '{name}'"
        for step, name in zip(steps, EVENTS, strict=True)
    )
    return f"""
WITH sized AS (
    SELECT *, CAST(sum(count) OVER (ORDER BY no) AS BIGINT) - count AS first FROM (
        SELECT *, CAST(round({millions * 1e6} * share / sum(share) OVER ()) AS BIGINT) AS count
        FROM (SELECT *, weight * date_diff('day', active_from,
            coalesce(ended_at, TIMESTAMP '{NEW_DAY}')) AS share FROM base)
    )
), rows AS (
    SELECT account_id, users, active_from, ended_at, first + unnest(range(count)) AS no FROM sized
)
SELECT 'e' || no AS event_id, account_id,
    account_id || '-' || CAST(floor(users * u(no, 43) * u(no, 43)) AS INT) AS user_id,
    CASE {event} END AS event, occurred_at,
    CASE WHEN u(no, 46) < 0.9 THEN round(1 + 50 * u(no, 47), 1) END AS quantity,
    occurred_at + {LATE} AS known_at
FROM (
    SELECT *, between_times(
        active_from, coalesce(ended_at, TIMESTAMP '{NEW_DAY}'), u(no, 45)) AS occurred_at
    FROM rows
)
ORDER BY occurred_at
"""


TICKET = f"""
SELECT ticket_id, account_id, opened_at, first_responded_at,
    CASE WHEN u(no, 57) < 0.97 THEN first_responded_at
        + to_seconds(CAST(3600 + 86400 * 6 * u(no, 58) AS INT)) END AS resolved_at,
    picked(no, 59, ['low', 'normal', 'high', 'urgent']) AS priority,
    picked(no, 60, ['bug', 'question', 'billing']) AS category,
    CASE WHEN u(no, 61) < 0.05 THEN opened_at + to_hours(CAST(1 + 48 * u(no, 62) AS INT)) END
        AS escalated_at,
    CASE WHEN u(no, 63) < 0.3 THEN CAST(1 + floor(5 * u(no, 64)) AS DOUBLE) END AS csat_score,
    CASE WHEN u(no, 63) < 0.3 THEN opened_at + to_hours(CAST(24 * 8 + 48 * u(no, 65) AS INT)) END
        AS csat_at
FROM (
    SELECT ticket.no, format('t{{:06d}}', ticket.no) AS ticket_id, base.account_id,
        date_trunc('second', between_times(base.active_from,
            coalesce(base.ended_at, TIMESTAMP '{NEW_DAY}'), u(ticket.no, 52))) AS opened_at,
        opened_at + to_seconds(CAST(600 + 86400 * u(ticket.no, 53) AS INT)) AS first_responded_at
    FROM range({TICKETS}) AS ticket(no)
    JOIN base ON base.no = CAST(floor({ACCOUNTS} * u(ticket.no, 51)) AS INT)
)
ORDER BY opened_at, ticket_id
"""

SURVEY = f"""
SELECT format('r{{:06d}}', no) AS response_id, account_id, respondent_id, survey_type,
    CASE WHEN answers THEN CAST(floor(CASE survey_type WHEN 'nps' THEN 11 * u(no, 73)
        WHEN 'csat' THEN 1 + 5 * u(no, 73) ELSE 1 + 7 * u(no, 73) END) AS DOUBLE) END AS score,
    sent_at,
    CASE WHEN answers THEN sent_at + to_hours(CAST(1 + 24 * 12 * u(no, 74) AS INT)) END
        AS responded_at
FROM (
    SELECT survey.no, base.account_id, u(survey.no, 75) < 0.4 AS answers,
        base.account_id || '-' || CAST(floor(base.users * u(survey.no, 76)) AS INT)
            AS respondent_id,
        picked(survey.no, 77, ['nps', 'nps', 'csat', 'ces']) AS survey_type,
        date_trunc('second', between_times(base.active_from,
            coalesce(base.ended_at, TIMESTAMP '{NEW_DAY}'), u(survey.no, 78))) AS sent_at
    FROM range({SURVEYS}) AS survey(no)
    JOIN base ON base.no = CAST(floor({ACCOUNTS} * u(survey.no, 71)) AS INT)
)
ORDER BY sent_at, response_id
"""


def write(folder: Path, millions: float, *, hive: bool = True) -> None:
    """Write all tables; a folder that is complete already is left alone."""
    done = folder / "complete"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    spill = folder / "spill"
    connection = duckdb.connect(
        ":memory:", config={"threads": 2, "memory_limit": "4GB", "temp_directory": str(spill)}
    )
    connection.execute(MACROS)
    connection.execute(BASE)
    statements = {
        "accounts": ACCOUNT,
        "subscriptions": SUBSCRIPTION,
        "tickets": TICKET,
        "survey_responses": SURVEY,
        "usage_events": usage(millions),
    }
    for name, sql in statements.items():
        path = folder / f"{name}.parquet"
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    if hive:
        connection.execute(
            "COPY (SELECT *, strftime(occurred_at, '%Y-%m') AS month "
            f"FROM '{folder / 'usage_events.parquet'}') TO '{folder / 'usage_events_hive'}' "
            "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (month), OVERWRITE_OR_IGNORE)"
        )
    connection.close()
    done.touch()


if __name__ == "__main__":
    write(Path(sys.argv[1]), float(sys.argv[2]))
