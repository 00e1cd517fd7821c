"""Words of vendors mean what the contract calls them; words for nothing and for never are empty."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sources.conftest import Load, rows
from tenure.core.errors import DataError
from tenure.engine import Engine
from tenure.sources import coerce
from tenure.sources.dataset import Dataset
from tenure.sources.wording import WORDINGS
from tenure.sources.words import NOTHING, STATUS, VOCABULARIES

NEVER = (
    *("2099-12-31", "2999-12-31", "9999-12-31 23:59:59", "31/12/9999", "12/31/2099", "29991231"),
    *("99999999", "00000000"),
    *("31-DEC-9999", "0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "0001-01-01T00:00:00Z"),
    *("1970-01-01", "1970-01-01 00:00:00+00", "1900-01-01", "01/01/1900", "1899-12-30 00:00:00"),
    *("infinity", "never", "NA"),
)
SOME_DAY = ("2024-01-31", "2024-12-31 00:00", "31/12/2024", "20240131", "2098-01-01", "1970-06-01")
STATES = {
    "canceled": ("Cancelled", "expired", "CHURNED", "inactive", "Terminated"),
    "draft": ("Pending", "future", "Pending Activation", "scheduled"),
    "paused": ("Suspended", "on hold"),
    "trialing": ("trial", "In Trial"),
    "active": ("Live", "active"),
}
PRIORITIES = {
    "urgent": (
        *("P1 - Critical", "Highest", "Sev 1", "P0", "Blocker", "Urgent", "1 - Critical", "true"),
        *("SEV-1", "Severity 1", "critical", "Priority 1", "p1"),
    ),
    "high": ("High", "2 - High", "P2 - High", "Major"),
    "normal": ("Medium", "P3", "not_priority", "3 - Moderate", "P2", "false", "Sev 2"),
    "low": ("Low", "Lowest", "P4", "5 - Planning"),
}
REASONS = {
    "involuntary": ("payment_failed", "nonpayment", "not_paid", "Payment failure", "no card"),
    "voluntary": ("Too Expensive", "cancellation_requested", "switched_service", "canceled"),
    "non_renewal": ("Not Renewed", "expired", "End of term"),
    "upgrade": ("Upsell",),
}
SURVEYS = {
    "nps": ("NPS Survey", "Q3 nps", "Net Promoter Score", "relationship-NPS"),
    "csat": ("CSAT", "Customer Satisfaction", "post-ticket CSAT"),
    "ces": ("Customer Effort Score", "ces"),
    "csi": ("Customer Satisfaction Index",),
}
EVERY = [
    (place, theirs, ours)
    for place, words in (
        (("subscriptions", "status"), STATES),
        (("tickets", "priority"), PRIORITIES),
        (("subscriptions", "end_reason"), REASONS),
        (("survey_responses", "survey_type"), SURVEYS),
    )
    for ours, spellings in words.items()
    for theirs in spellings
]


def value(engine: Engine, sql: str) -> object:
    return engine.fetch(f"SELECT {sql} AS value").column(0).to_pylist()[0]


@pytest.mark.parametrize(("place", "theirs", "ours"), EVERY)
def test_vendors_words(engine: Engine, place: tuple[str, str], theirs: str, ours: str) -> None:
    wording = WORDINGS[place]
    assert value(engine, wording.choose(wording.spell(f"'{theirs}'"))) == ours
    assert VOCABULARIES[place].meaning(theirs) == ours


@pytest.mark.parametrize("place", sorted(VOCABULARIES))
def test_each_word_means_one_thing(engine: Engine, place: tuple[str, str]) -> None:
    words, wording = VOCABULARIES[place], WORDINGS[place]
    spellings = [*words.words, *(name for names in words.words.values() for name in names)]
    assert len(spellings) == len(set(spellings))
    read = [value(engine, wording.choose(wording.spell(f"'{text}'"))) for text in spellings]
    assert read == [words.meaning(text) for text in spellings]
    assert set(read) == set(words.words)


@pytest.mark.parametrize("text", NEVER)
def test_dates_that_mean_never(engine: Engine, text: str) -> None:
    for form in (None, "%d/%m/%Y"):
        sql = coerce.coerce(f"'{text}'", "VARCHAR", "time", form=form, optional=True)
        assert value(engine, sql) is None
        sql = coerce.has_value(f"'{text}'", "VARCHAR", "time", form, optional=True)
        assert value(engine, sql) is False
        assert value(engine, coerce.is_nothing(f"'{text}'", "VARCHAR", "time", form)) is True


@pytest.mark.parametrize("text", SOME_DAY)
def test_dates_that_mean_a_day(engine: Engine, text: str) -> None:
    assert value(engine, coerce.has_value(f"'{text}'", "VARCHAR", "time", optional=True)) is True
    assert value(engine, coerce.is_nothing(f"'{text}'", "VARCHAR", "time")) is False


@pytest.mark.parametrize(
    ("sql", "sql_type", "form", "never"),
    [
        ("DATE '2999-12-31'", "DATE", None, True),
        ("TIMESTAMP '2099-01-01'", "TIMESTAMP", None, True),
        ("TIMESTAMP '1900-01-01'", "TIMESTAMP", None, True),
        ("TIMESTAMP 'infinity'", "TIMESTAMP", None, True),
        ("TIMESTAMPTZ '9999-12-31 00:00+00'", "TIMESTAMPTZ", None, True),
        ("0", "BIGINT", "epoch_s", True),
        ("-62135596800", "BIGINT", "epoch_s", True),
        ("253402300799000", "BIGINT", "epoch_ms", True),
        ("99991231", "INTEGER", "%Y%m%d", True),
        ("DATE '2024-12-31'", "DATE", None, False),
        ("1704067200", "BIGINT", "epoch_s", False),
        ("20241231", "INTEGER", "%Y%m%d", False),
        ("CAST(NULL AS DATE)", "DATE", None, False),
    ],
)
def test_typed_dates_that_mean_never(
    engine: Engine, sql: str, sql_type: str, form: str | None, never: bool
) -> None:
    assert value(engine, coerce.is_nothing(f"({sql})", sql_type, "time", form)) is never
    read = value(engine, coerce.coerce(f"({sql})", sql_type, "time", form=form, optional=True))
    assert (read is None) is (never or "NULL" in sql)


@pytest.mark.parametrize("text", [word for word in NOTHING if word])
def test_words_for_nothing_in_ids_and_texts(engine: Engine, text: str) -> None:
    for sql in (f"'{text}'", f"' {text.upper()} '"):
        assert value(engine, coerce.identifier(sql, "VARCHAR")) is None
        assert value(engine, coerce.coerce(sql, "VARCHAR", "text")) is None
        assert value(engine, coerce.is_nothing(sql, "VARCHAR", "id")) is True


@pytest.mark.parametrize("text", ["NA", "none of these", "Nan Goldin", "0", "unknown"])
def test_names_are_no_words_for_nothing(engine: Engine, text: str) -> None:
    assert value(engine, coerce.identifier(f"'{text}'", "VARCHAR")) == text


def test_ids_are_alike_whatever_stands_around_them(engine: Engine) -> None:
    blanks = [" acme", "acme\t", "\u00a0acme ", "\ufeffacme", "acme\r\n"]
    assert {value(engine, coerce.identifier(f"'{text}'", "VARCHAR")) for text in blanks} == {"acme"}


def test_a_person_named_nothing_is_no_user(read: Load, folder: Path) -> None:
    users = ("nan", "None", "NULL", r"\N", "undefined", "(not set)", "ann", "ann ")
    lines = [f"e{n},a,{user},none,2023-06-0{n + 1}" for n, user in enumerate(users)]
    head = "event_id,account_id,user_id,event,occurred_at\n"
    (folder / "usage_events.csv").write_text(head + "\n".join(lines))
    dataset = read()
    found = rows(dataset, "SELECT DISTINCT user_id, event FROM usage_events ORDER BY 1 NULLS FIRST")
    assert found == [{"user_id": None, "event": "none"}, {"user_id": "ann", "event": "none"}]
    remark = remark_of(dataset, "usage_events", "nothing")
    assert remark.startswith("6 values of user_id say that there is none (`(not set)` 1, ")


def remark_of(dataset: Dataset, table: str, code: str) -> str:
    remarks = dataset.report.tables[table].remarks
    return next((item.text for item in remarks if item.code == code), "")


def test_sentinels_are_no_end_and_no_renewal(read: Load, folder: Path) -> None:
    ends = ("2099-12-31", r"\N", "2023-09-01")
    lines = [f"{name},2023-01-10,{end},100" for name, end in zip("abc", ends, strict=True)]
    text = "account_id,started_at,ended_at,mrr\n" + "\n".join(lines)
    (folder / "subscriptions.csv").write_text(text)
    dataset = read()
    sql = "SELECT ended_at, renews_at FROM subscriptions ORDER BY account_id"
    never = {"ended_at": None, "renews_at": None}
    assert rows(dataset, sql) == [never, never, never | {"ended_at": datetime(2023, 9, 1)}]
    assert "2 values of ended_at say that there is none" in remark_of(
        dataset, "subscriptions", "nothing"
    )


def test_words_that_are_not_known_are_named_with_those_that_are(read: Load, folder: Path) -> None:
    head = "response_id,account_id,survey_type,responded_at,score\n"
    (folder / "survey_responses.csv").write_text(head + "r1,a,pulse,2023-05-01,7\n")
    with pytest.raises(DataError) as caught:
        read()
    text = str(caught.value)
    assert "`pulse` 1; known are nps, csat, ces, csi" in text
    assert "`survey_type: {value: nps}`" in text


def test_a_constant_is_a_word(read: Load, folder: Path) -> None:
    head = "response_id,account_id,responded_at,score\n"
    (folder / "survey_responses.csv").write_text(head + "r1,a,2023-05-01,7\n")
    table = {"path": str(folder / "survey_responses.csv")}
    dataset = read(
        tables={"survey_responses": table | {"columns": {"survey_type": {"value": "nps"}}}}
    )
    assert rows(dataset, "SELECT survey_type FROM survey_responses") == [{"survey_type": "nps"}]
    with pytest.raises(DataError) as caught:
        read(tables={"survey_responses": table | {"columns": {"survey_type": "nps"}}})
    assert "for the same word in all rows: `{value: nps}`" in str(caught.value)


def tickets(folder: Path, *priorities: str) -> None:
    lines = [f"t{n},a,2023-05-01,{word}" for n, word in enumerate(priorities)]
    text = "ticket_id,account_id,opened_at,priority\n" + "\n".join(lines)
    (folder / "tickets.csv").write_text(text)


def test_priorities_that_are_not_known_count_as_absent(read: Load, folder: Path) -> None:
    tickets(folder, "gold", "gold", "silver", "urgent")
    dataset = read()
    assert not dataset.has("tickets", "priority")
    red = next(text for text in dataset.report.red if "counts as absent" in text)
    assert "`gold` 2, `silver` 1; known are urgent, high, normal, low" in red


def test_a_priority_that_is_not_known_is_empty(read: Load, folder: Path) -> None:
    tickets(folder, "1", "P1 - Critical", "Sev 1")
    dataset = read()
    assert dataset.has("tickets", "priority")
    sql = "SELECT priority FROM tickets ORDER BY ticket_id"
    assert [row["priority"] for row in rows(dataset, sql)] == [None, "urgent", "urgent"]
    assert "ServiceNow" in remark_of(dataset, "tickets", "emptied")


def subscriptions(folder: Path, *states: str, more: str = "") -> None:
    columns = ",status_at" if more else ""
    lines = [
        f"{name},2023-03-10,100,{state}{more}" for name, state in zip("abc", states, strict=False)
    ]
    text = f"account_id,started_at,mrr,status{columns}\n" + "\n".join(lines)
    (folder / "subscriptions.csv").write_text(text)


@pytest.mark.parametrize("word", ["canceled", "Expired", "churned", "inactive", "terminated"])
def test_who_left_at_an_unknown_time_runs_until_observation_stops(
    read: Load, folder: Path, word: str
) -> None:
    subscriptions(folder, word, "active")
    dataset = read()
    until = dataset.observed_until
    found = rows(dataset, "SELECT ended_at FROM subscriptions ORDER BY account_id")
    assert found[0]["ended_at"] is not None
    assert (until - found[0]["ended_at"]).total_seconds() < 1
    assert found[1]["ended_at"] is None
    red = [text for text in dataset.report.red if text.startswith("subscriptions")]
    assert len(red) == 1
    assert red[0].startswith("subscriptions: 1 row says canceled")
    assert "has no end" in red[0]
    assert "Map ended_at, or status_at" in red[0]


def test_the_time_of_a_status_is_the_end(read: Load, folder: Path) -> None:
    subscriptions(folder, "cancelled", "active", more=",2023-09-15 10:00")
    dataset = read()
    found = rows(dataset, "SELECT ended_at FROM subscriptions ORDER BY account_id")
    assert [row["ended_at"] for row in found] == [datetime(2023, 9, 15, 10), None]
    assert dataset.report.red == ()


def test_an_end_is_kept_whatever_the_status(read: Load, folder: Path) -> None:
    text = "account_id,started_at,ended_at,mrr,status\na,2023-01-10,2023-05-01,100,canceled\n"
    (folder / "subscriptions.csv").write_text(text)
    dataset = read()
    assert rows(dataset, "SELECT ended_at FROM subscriptions")[0]["ended_at"] == datetime(
        2023, 5, 1
    )
    assert dataset.report.red == ()


@pytest.mark.parametrize("word", ["draft", "Pending", "future", "scheduled", "incomplete"])
def test_what_has_never_begun_is_never_paid(read: Load, folder: Path, word: str) -> None:
    subscriptions(folder, word, "active")
    dataset = read()
    found = rows(dataset, "SELECT paid FROM subscriptions ORDER BY account_id")
    assert [row["paid"] for row in found] == [False, True]
    assert any("never begun" in text for text in dataset.report.red)


def test_a_status_that_is_not_known_is_said(read: Load, folder: Path) -> None:
    subscriptions(folder, "kaputt", "active", "active")
    text = " ".join(read().report.red)
    assert f"a status that is not known (kaputt 1); {STATUS.hint}" in text
