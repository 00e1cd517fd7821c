"""What is not known is named, ids meet only by what exports carry, dates are no guess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from sources.presets.folders import Folder
from sources.presets.vendor_cases import OWN
from tenure.core.config import load_config
from tenure.core.errors import Problem
from tenure.sources.presets.declared import presets
from tenure.sources.presets.raw_tables import RawTable
from tenure.sources.presets.recognise import Match, _nearness, nearest

COMPANIES = (
    "Record ID,Company name,Create Date,Company Domain Name,Help desk\n"
    "901,Acme,2023-01-01,acme.example,51\n902,Bee,2023-01-01,www.bee.example,52\n"
)
TICKETS = (
    "id,requester_id,organization_id,created_at,priority\n"
    "1,7,{0},2023-03-01T10:00:00Z,high\n2,8,{1},2023-03-02T10:00:00Z,low\n"
)
ORGANIZATIONS = "id,name,external_id,shared_tickets,domain_names\n"
SUBSCRIPTIONS = (
    "customer_id,start_date,mrr\nacme.example,2023-01-05,100\nbee.example,2023-01-05,9\n"
)


def left_out(folder: Folder, name: str) -> str:
    return next(table.left_out for table in folder.mapped if table.name == name)


@pytest.mark.parametrize(
    ("tickets", "organizations"),
    [
        (("51", "52"), ""),
        (("21", "22"), "21,x,901,false,\n22,y,902,false,\n"),
        (("21", "22"), "21,ACME INC,,false,acme.example\n22,y,,false,bee.example\n"),
        (("21", "22"), "21,Acme,,false,\n22,Bee,,false,\n"),
    ],
    ids=["a property of the CRM", "an external id", "a domain", "a name"],
)
def test_ids_of_two_systems_meet(
    tmp_path: Path, tickets: tuple[str, str], organizations: str
) -> None:
    files = {"companies.csv": COMPANIES, "zendesk_tickets.csv": TICKETS.format(*tickets)}
    files["subscriptions.csv"] = SUBSCRIPTIONS
    if organizations:
        files["organizations.csv"] = ORGANIZATIONS + organizations
    with Folder(tmp_path, files) as folder:
        rows = folder.rows("tickets", "ticket_id, account_id")
        assert rows == [("1", "901"), ("2", "902")]
        rows = folder.rows("subscriptions", "account_id, mrr")
        assert rows == [("901", "100.0"), ("902", "9.0")]


@pytest.mark.parametrize("tickets", [("1", "2"), ("8001", "8002")])
def test_ids_that_do_not_meet_are_named_and_their_table_is_left_out(
    tmp_path: Path, tickets: tuple[str, str]
) -> None:
    companies = COMPANIES.replace("901", "1").replace("902", "2")
    files = {"companies.csv": companies, "subscriptions.csv": SUBSCRIPTIONS}
    with Folder(tmp_path, files | {"tickets.csv": TICKETS.format(*tickets)}) as folder:
        if tickets == ("1", "2"):
            # Two counters from 1 on are no evidence, but for a name that says what they are.
            assert not left_out(folder, "tickets")
        else:
            reason = left_out(folder, "tickets")
            assert "`organization_id` of tickets.csv is 8001, 8002" in reason
            assert "`Record ID` of companies.csv is 1, 2" in reason
            assert "    # tickets of Zendesk" in folder.text
            assert "leave_out: [survey_responses, tickets]" in folder.text
        assert folder.dataset.has("subscriptions")


def test_counters_without_a_name_that_says_so_are_no_link(tmp_path: Path) -> None:
    files = {
        "contacts.csv": "hs_object_id,email,associatedcompanyid\n1,a@x.example,901\n",
        "companies.csv": COMPANIES.replace("901", "1").replace("902", "2"),
        "subscriptions.csv": SUBSCRIPTIONS,
        "responses.csv": (
            "id,score,comment,created_at,permalink\n1,9,x,1677664800,p\n2,3,y,1677668400,p\n"
        ),
    }
    with Folder(tmp_path, files) as folder:
        assert "has no column with an account" in left_out(folder, "survey_responses")


def test_an_unknown_file_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    files = {"subs.csv": "id,customer,start_date,price\n1,c,2023-01-01,5\n", "x.csv": "a,b\n1,2\n"}
    with Folder(tmp_path, files) as folder:
        assert folder.matches == []
        near = {
            raw.place: nearest(raw, presets().values())
            for raw in folder.raw
            if isinstance(raw, RawTable)
        }
        assert near["x.csv"] is None
        match = near["subs.csv"]
        assert match is not None
        assert (match.preset.vendor, match.object.name, match.missing) == (
            *("Stripe", "subscription"), ("period_end",)
        )  # fmt: skip


def test_the_nearest_object_lacks_the_fewest_columns() -> None:
    stripe = presets()["stripe"]
    one = Match(stripe, stripe.objects["discount"], RawTable("x.csv", "_x", ()), {}, 1, ("coupon",))
    two = replace(one, object=stripe.objects["exported"], score=4, missing=("term", "mark"))
    assert max(two, one, key=_nearness) is one


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    with Folder(tmp_path, OWN) as folder:
        (problem,) = [raw for raw in folder.raw if isinstance(raw, Problem)]
        assert problem.thing == "broken.parquet"
        assert len(folder.matches) == 2


def test_numbered_files_are_one_table(tmp_path: Path) -> None:
    row = "ticket_id,account_id,opened_at\n{0},a1,2023-0{0}-01\n"
    files = OWN | {f"tickets_2023-0{month}.csv": row.format(month) for month in (1, 2, 3)}
    with Folder(tmp_path, files) as folder:
        assert "    tickets: tickets_*.csv\n" in folder.text
        assert len(folder.rows("tickets", "ticket_id")) == 3


DATES = {
    "accounts.csv": "account_id,created_at\na1,{0}\na2,03/04/2023\n",
    "subscriptions.csv": "account_id,started_at,mrr\na1,2023-05-05,1\na2,2023-05-05,1\n",
}


@pytest.mark.parametrize(
    ("value", "first", "day"),
    [
        ("13/04/2023", None, "2023-04-03"),
        ("04/13/2023", None, "2023-03-04"),
        ("05/06/2023", "day", "2023-04-03"),
        ("05/06/2023", "month", "2023-03-04"),
    ],
)
def test_dates_are_read_as_their_column_says(
    tmp_path: Path, value: str, first: str | None, day: str
) -> None:
    files = {name: text.format(value) for name, text in DATES.items()}
    with Folder(tmp_path, files, first) as folder:  # type: ignore[arg-type]
        assert folder.rows("accounts", "account_id, created_at")[1] == ("a2", f"{day} 00:00:00")
        assert folder.forms.open == {}


def test_dates_that_may_be_read_in_two_ways_are_a_question(tmp_path: Path) -> None:
    files = {name: text.format("05/06/2023") for name, text in DATES.items()}
    with Folder(tmp_path, files) as folder:
        assert folder.forms.open == {"accounts.csv: created_at": ("%m/%d/%Y", "%d/%m/%Y")}
        assert "formats" not in folder.text


def test_tables_of_a_duckdb_file(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(
            "CREATE TABLE marts.dim_accounts AS SELECT 'a' AS customer_id, DATE '2023-01-01' AS "
            "signup_date; CREATE TABLE fct_subscriptions AS SELECT 'a' AS customer_id, "
            "DATE '2023-01-02' AS start_date, 5 AS mrr"
        )
    with Folder(tmp_path, {}) as folder:
        assert folder.rows("accounts", "account_id, created_at") == [("a", "2023-01-01 00:00:00")]
        assert folder.rows("subscriptions", "account_id, mrr") == [("a", "5.0")]


def test_payers_stand_in_for_accounts_that_nobody_lists(tmp_path: Path) -> None:
    with Folder(tmp_path, {"subscriptions.csv": OWN["subscriptions.csv"]}) as folder:
        assert folder.rows("accounts", "account_id") == [("a1",), ("a2",)]


def test_a_table_that_is_left_out_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text("nothing,of,use\n")
    with Folder(tmp_path, OWN) as folder:
        assert not folder.dataset.has("tickets")
    config = load_config(tmp_path / "tenure.yaml")
    assert "tickets" in config.data.leave_out
