"""An agent reads scores, and only reads; small groups stay unseen."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, StdioServerParameters

from service.conftest import Tiny
from tenure import __version__
from tenure.core.times import show
from tenure.service.agents import FEWEST, agent_server

if TYPE_CHECKING:
    import pandas as pd


async def _called(server: Any, tool: str, values: dict[str, Any]) -> Any:
    async with Client(server) as client:
        return await client.call_tool(tool, values)


def answer_of(server: Any, tool: str, **values: Any) -> dict[str, Any]:
    """What a tool answers, as an agent reads it; an error is under `error`."""
    result = asyncio.run(_called(server, tool, values))
    text = result.content[0].text
    return {"error": text} if result.is_error else dict(json.loads(text))


@pytest.fixture(scope="module")
def server(tiny: Tiny) -> Any:
    return agent_server(tiny.config)


@pytest.fixture(scope="module")
def main(tiny: Tiny) -> pd.DataFrame:
    """The rows of the main horizon, by account."""
    days = tiny.config.labels.horizon_days
    return tiny.book[tiny.book["horizon_days"] == days].set_index("account_id")


def test_the_eight_tools_say_that_they_only_read(server: Any) -> None:
    async def listed() -> Any:
        async with Client(server) as client:
            assert client.server_info is not None
            assert client.server_info.version == __version__
            return (await client.list_tools()).tools

    tools = asyncio.run(listed())
    assert len(tools) == 8
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)


def test_accounts_are_listed_as_they_were_scored(
    server: Any, tiny: Tiny, main: pd.DataFrame
) -> None:
    answer = answer_of(server, "list_accounts", sort="probability", limit=5)
    first = main["churn_probability"].sort_values(ascending=False, kind="stable").head(5)
    assert [row["probability"] for row in answer["accounts"]] == first.tolist()
    assert answer["matching"] == len(main)
    assert answer["as_of"] == show(main["as_of"].iloc[0].to_pydatetime())
    row = answer["accounts"][0]
    assert row["driver"] == main.loc[row["account_id"], "driver_1_sentence"]


def test_an_account_has_its_scores_with_drivers(server: Any, main: pd.DataFrame) -> None:
    account = str(main["churn_probability"].idxmax())
    answer = answer_of(server, "get_account", account_id=account)
    (churn,) = (
        score
        for score in answer["scores"]
        if score["target"] == "churn"
        and score["probability"] == main.loc[account, "churn_probability"]
    )
    assert churn["drivers"][0]["sentence"] == main.loc[account, "driver_1_sentence"]
    first = {name: main.loc[account, f"driver_1_{name}"] for name in ("label", "value")}
    assert {name: churn["drivers"][0][name] for name in first} == first
    assert all(driver["peer_value"] for driver in churn["drivers"])
    assert {driver["lever"] for driver in churn["drivers"]} <= {True, False}
    assert all("since" in driver for driver in churn["drivers"])
    assert answer["segment"] == main.loc[account, "segment"]
    history = answer_of(server, "account_history", account_id=account)
    assert history["history"][-1]["probability"] in {
        score["probability"] for score in answer["scores"]
    }


def test_what_is_not_there_is_said(server: Any) -> None:
    assert (
        "`nobody` has no score as of"
        in answer_of(server, "get_account", account_id="nobody")["error"]
    )
    assert (
        "did you mean `probability`"
        in answer_of(server, "list_accounts", sort="probabilty")["error"]
    )
    for name, known in (
        ("band", "high, low, medium"),
        ("segment", "known: "),
        ("owner", "known: "),
    ):
        answer = answer_of(server, "list_accounts", **{name: "zzzz"})
        assert f"No account has the {name} `zzzz`: " in answer["error"]
        assert known in answer["error"]
    assert "segment or owner" in answer_of(server, "risk_by_group", by="plan")["error"]
    unknown = answer_of(server, "metrics", only=["npss"])["error"]
    assert "did you mean `nps`" in unknown


@pytest.mark.parametrize("by", ["segment", "owner"])
def test_groups_of_fewer_than_five_are_not_shown(server: Any, main: pd.DataFrame, by: str) -> None:
    sizes = main.groupby([by, "currency"]).size().to_dict()
    assert min(sizes.values()) < FEWEST
    answer = answer_of(server, "risk_by_group", by=by)
    groups = {(row[by], row["currency"]): row["accounts"] for row in answer["groups"]}
    assert groups == {group: size for group, size in sizes.items() if size >= FEWEST}


def test_totals_of_nobody_are_not_shown(server: Any) -> None:
    assert "Fewer than 5" in answer_of(server, "book_totals", owner="nobody")["error"]


def test_totals_and_models_and_metrics(server: Any, tiny: Tiny, main: pd.DataFrame) -> None:
    totals = answer_of(server, "book_totals")["totals"]
    expected = main.groupby("currency")[["mrr", "mrr_at_risk"]].sum()
    assert len(totals) == len(expected)
    for total in totals:
        mrr, at_risk = expected.loc[total["currency"]]
        assert total["mrr"] == pytest.approx(mrr)
        assert total["amount_at_risk"] == pytest.approx(at_risk)
    models = answer_of(server, "models")["targets"]
    assert models["churn"]["champion"] == main["model_version"].iloc[0]
    metrics = answer_of(server, "metrics", only=["arr"])["metrics"]
    assert metrics
    assert all(row["value"] > 0 for row in metrics)
    assert "Only one run is kept" in answer_of(server, "who_moved")["error"]


@pytest.mark.server
def test_the_command_serves_an_agent(tiny: Tiny, main: pd.DataFrame) -> None:
    code = "from tenure.cli import main; main()"
    command = StdioServerParameters(
        command=sys.executable, args=["-c", code, "mcp", str(tiny.path)], env=dict(os.environ)
    )
    answer = answer_of(command, "list_accounts", limit=1)
    assert answer["matching"] == len(main)
