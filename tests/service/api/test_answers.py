"""What the service answers: the same numbers as a batch, whichever way they are asked for."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tenure.core.flat_row import COLUMNS
from tenure.core.times import show
from tenure.explain.evidence import MOST
from tenure.labels.snapshots import snapshots
from tenure.model.calibration.calibrators import Sigmoid
from tenure.run.explain import ExplainWish, run_explain
from tenure.run.prepare import loaded
from tenure.score.score import features, load_models

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from service.conftest import Tiny
    from tenure.features.compute.matrix import FeatureMatrix

DIFFERS = {"scored_at", "churn_rank", "churn_percentile", "stale_sources"}


def ask(client: TestClient, path: str, body: Any, status: int = 200) -> dict[str, Any]:
    response = client.post(path, json=body)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


def plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return f"{value.isoformat()}Z"
    if isinstance(value, np.floating):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def batch(tiny: Tiny, account: str) -> dict[str, Any]:
    row = tiny.book[tiny.book["account_id"] == account].iloc[0]
    return {str(name): plain(value) for name, value in row.to_dict().items()}


def without(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def test_an_account_alone_has_the_row_of_the_batch(client: TestClient, tiny: Tiny) -> None:
    for account in tiny.book["account_id"][:3]:
        answer = ask(client, "/score", {"account_ids": [account]})
        (row,) = answer["rows"]
        assert without(row, {"scored_at"}) == without(batch(tiny, account), {"scored_at"})
        assert list(row) == list(COLUMNS)


def test_a_group_has_the_rows_of_the_batch(client: TestClient, tiny: Tiny) -> None:
    accounts = list(tiny.book["account_id"])
    answer = ask(client, "/score", {"account_ids": accounts[::-1]})
    assert [row["account_id"] for row in answer["rows"]] == accounts
    for row in answer["rows"]:
        assert row["churn_probability"] == batch(tiny, row["account_id"])["churn_probability"]
        assert row["churn_rank"] == batch(tiny, row["account_id"])["churn_rank"]


def test_requests_at_the_same_time_are_answered_alike(client: TestClient, tiny: Tiny) -> None:
    accounts = list(tiny.asked["account_id"][:6])

    def alone(account: str) -> float:
        (row,) = ask(client, "/score", {"account_ids": [account]})["rows"]
        assert row["account_id"] == account
        probability: float = row["churn_probability"]
        return probability

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(alone, accounts))
    assert found == list(tiny.asked["churn_probability"][:6])


def test_posted_history_has_the_row_of_the_batch(client: TestClient, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    body = {"tables": tiny.posted(account), "as_of": show(tiny.book["as_of"].iloc[0])}
    answer = ask(client, "/score_history", body)
    (row,) = answer["rows"]
    assert without(row, DIFFERS) == without(batch(tiny, account), DIFFERS)
    assert row["churn_rank"] is None
    assert row["churn_percentile"] is None
    assert answer["rejects"] == []


def test_feature_rows_have_the_probability_and_drivers_of_the_batch(
    client: TestClient, tiny: Tiny, matrix: FeatureMatrix
) -> None:
    at = 0
    account = matrix.rows["account_id"][at]
    expected = batch(tiny, account)
    for target, model in load_models(tiny.config).items():
        used = model.bundle.main.encoder.frame(matrix.values)
        row = {name: plain(used[name][at]) for name in model.bundle.columns}
        answer = ask(client, "/score_rows", {"target": target, "rows": [row, row]})
        assert answer["model_version"] == model.bundle.version
        first, second = answer["rows"]
        assert first == second
        assert [first[name] for name in ("probability", "lo", "hi")] == [
            expected[f"{target}_probability{part}"] for part in ("", "_lo", "_hi")
        ]
        prefix = "" if target == "churn" else f"{target}_"
        assert first["drivers"][0]["sentence"] == expected[f"{prefix}driver_1_sentence"]
        assert first["drivers"][0]["contribution"] == expected[f"{prefix}driver_1_contribution"]


def test_live_scores_tell_of_doubtful_inputs(client: TestClient, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    tables = tiny.posted(account)
    body = {"tables": tables, "as_of": show(tiny.book["as_of"].iloc[0])}
    usual = ask(client, "/v1/score", body)
    assert usual["inputs"] == {}
    assert {one["scale"] for one in usual["targets"].values()} == {"probability"}
    for row in tables["subscriptions"]:
        row["mrr"] = 1e9
    (inputs,) = ask(client, "/v1/score", body)["inputs"].values()
    assert inputs.keys() == set(load_models(tiny.config))
    assert any("mrr" in name for name in inputs["churn"]["out_of_range"])
    assert ask(client, "/score", {"account_ids": [account]})["inputs"] == {}
    assert ask(client, "/v1/explain", {"account_id": account})["inputs"] == {}


@pytest.fixture(scope="module")
def matrix(tiny: Tiny) -> FeatureMatrix:
    with loaded(tiny.config) as dataset:
        asked = snapshots(dataset, [dataset.observed_until])
        keep = asked["account_id"].isin(tiny.asked["account_id"])
        return features(dataset, asked[keep], load_models(tiny.config))


def test_a_past_time_is_scored_with_what_was_known_then(client: TestClient, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    then = ask(client, "/score", {"account_ids": [account], "as_of": "2023-10-01"})
    assert then["as_of"] == "2023-10-01T00:00:00Z"
    posted = tiny.posted(account)
    answer = ask(client, "/score_history", {"tables": posted, "as_of": "2023-10-01"})
    assert [row["churn_probability"] for row in answer["rows"]] == [
        row["churn_probability"] for row in then["rows"]
    ]


def test_an_account_that_does_not_pay_is_named_not_refused(client: TestClient, tiny: Tiny) -> None:
    accounts = pd.read_parquet(f"{tiny.config.data.path}/accounts.parquet")["account_id"]
    gone = next(name for name in accounts if name not in set(tiny.book["account_id"]))
    answer = ask(client, "/score", {"account_ids": [gone]})
    assert answer["rows"] == []
    (entry,) = answer["not_asked"]
    assert entry["account_id"] == gone
    assert entry["reason"] == "no_paid_subscription"


def test_one_target_alone_leaves_the_others_out(client: TestClient, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    body = {"account_ids": [account], "targets": ["expansion"]}
    answer = ask(client, "/score", body)
    (row,) = answer["rows"]
    assert list(answer["models"]) == ["expansion"]
    assert row["expansion_probability"] == batch(tiny, account)["expansion_probability"]
    assert not {"churn_probability", "driver_1_code", "risk_band", "model_version"} & set(row)
    assert {"mrr", "data_coverage", "expansion_driver_1_sentence"} <= set(row)


def test_an_explanation_adds_up(client: TestClient, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    answer = ask(client, "/explain", {"account_id": account})
    row = without(answer["row"], {"scored_at"})
    assert row == without(batch(tiny, account), {"scored_at"})
    assert any("ssociated with the outcome" in line for line in answer["sentences"])
    for target, found in answer["targets"].items():
        parts = [item["contribution"] for item in found["contributions"]]
        assert math.isclose(found["base_value"] + sum(parts), found["log_odds"], abs_tol=1e-9)
        assert [abs(part) for part in parts] == sorted(map(abs, parts), reverse=True)
        calibrator = Sigmoid.from_json(found["calibrator"])
        (chance,) = calibrator.probability(pd.Series([found["log_odds"]]).to_numpy())
        assert math.isclose(chance, found["probability"], rel_tol=1e-9)
        assert found["probability"] == row[f"{target}_probability"]


def test_an_explanation_shows_the_rows_behind_its_drivers(client: TestClient, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    as_of = show(tiny.book["as_of"].iloc[0])
    plain = ask(client, "/v1/explain", {"account_id": account})
    assert "evidence" not in plain
    evidence = ask(client, "/v1/explain", {"account_id": account, "evidence": True})["evidence"]
    behind = run_explain(tiny.config, account, wish=ExplainWish(evidence=MOST)).to_json()
    assert evidence == behind["evidence"]
    codes = [plain["row"][f"driver_{place}_code"] for place in range(1, 6)]
    assert [one["code"] for one in evidence["churn"]] == [code for code in codes if code]
    shown = [table for one in evidence["churn"] for table in one["tables"]]
    assert any(table["hidden"] for table in shown)
    for table in shown:
        assert len(table["rows"]) <= MOST
        assert table["hidden"] == table["total"] - len(table["rows"])
    tables = tiny.posted(account)
    history = {"tables": tables, "as_of": as_of}
    assert "evidence" not in ask(client, "/v1/score", history)
    posted = ask(client, "/v1/score", {**history, "evidence": True})["evidence"]
    assert list(posted) == [account]
    assert [one["code"] for one in posted[account]["churn"]] == [code for code in codes if code]
    for one, same in zip(posted[account]["churn"], evidence["churn"], strict=True):
        assert [table["total"] for table in one["tables"]] == [
            table["total"] for table in same["tables"]
        ]
    accounts = [{"account_id": f"a{n}", "created_at": "2023-01-01"} for n in range(21)]
    many = {"tables": {**tables, "accounts": accounts}, "as_of": as_of}
    refused = ask(client, "/v1/score", {**many, "evidence": True}, status=400)
    assert refused["field"] == "evidence"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_models_describe_themselves(client: TestClient, tiny: Tiny, method: str) -> None:
    answer = client.request(method, "/model").json()
    for target, model in load_models(tiny.config).items():
        found = answer["targets"][target]
        assert found["model_version"] == model.bundle.version
        assert found["horizon_days"] == 90
        assert 0 < found["base_rate"] < 1
        assert found["verdict"]["status"] == "usable"
        assert [item["name"] for item in found["features"]] == list(model.bundle.columns)
        assert all("{value}" in item["sentence"] for item in found["features"])
    assert answer["warnings"] == []


def test_a_horizon_that_no_model_knows_is_refused(client: TestClient, tiny: Tiny) -> None:
    account = tiny.book["account_id"].iloc[0]
    body = {"account_ids": [account], "horizon_days": 31}
    error = ask(client, "/score", body, status=400)["error"]
    assert error == {
        "field": "horizon_days",
        "rule": "is not a horizon of the models",
        "value": "31",
        "fix": "one of 90, or all",
    }
    for known in (90, "all", None):
        (row,) = ask(client, "/score", {**body, "horizon_days": known})["rows"]
        assert without(row, {"scored_at"}) == without(batch(tiny, account), {"scored_at"})
