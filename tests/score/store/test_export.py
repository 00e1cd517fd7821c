"""What is sent is what changed, and what was taken is never sent twice."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from score.delivery.vendors import Reply, Request, serving
from score.store.conftest import earlier
from tenure.core.config import Config
from tenure.core.errors import ConfigError, ModelError
from tenure.core.flat_row import COLUMNS
from tenure.core.sections import ExportConfig
from tenure.run.export import run_export
from tenure.score.delivery.rows import flat_rows
from tenure.score.scored import Scored
from tenure.score.store.store import ScoreStore
from tenure.score.store.write import ScoringRun

COLUMNS_SENT = {
    "churn_probability": "risk",
    "risk_band": "band",
    "renews_at": "renewal",
    "driver_1_sentence": "reason",
    "expected_expansion_mrr": "upside",
}


def exporting(config: Config, url: str, **further: Any) -> Config:
    target = ExportConfig(adapter="http", url=url, key="id", columns=COLUMNS_SENT, **further)
    return config.model_copy(update={"exports": {"crm": target}})


class Taking:
    """A system that takes everything, up to a number of batches."""

    def __init__(self, batches: int = 1_000) -> None:
        self.batches = batches
        self.rows: dict[str, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Reply:
        if self.batches == 0:
            return Reply(403, {"message": "gone"})
        self.batches -= 1
        self.rows |= {row["id"]: row for row in request.json["rows"]}
        return Reply(200, {})


def test_the_flat_rows_of_the_store_are_those_that_were_scored(
    filled: ScoreStore, scored: Scored, filled_config: Config
) -> None:
    flat = flat_rows(filled, filled.runs()[-1], filled_config.labels.horizon_days)
    same = [name for name in COLUMNS if name in flat and name != "scored_at"]
    assert {"churn_probability", "mrr_at_risk", "driver_5_sentence", "segment"} <= set(same)
    first = scored.rows[scored.rows["horizon_days"] == filled_config.labels.horizon_days]
    first = first.drop_duplicates("account_id").set_index("account_id")
    rows = flat.set_index("account_id").loc[first.index]
    for name in same[1:]:
        ours, theirs = rows[name].astype(object), first[name].astype(object)
        assert ours.isna().equals(theirs.isna()), name
        pd.testing.assert_series_equal(
            ours.dropna().astype("str"), theirs.dropna().astype("str"), check_names=False, obj=name
        )


def test_a_dry_run_sends_nothing_and_shows_what_it_would(
    scored: Scored, filled_config: Config
) -> None:
    with serving(Taking()) as (url, seen):
        record = run_export(exporting(filled_config, url), "crm")
    assert seen == []
    assert (record.sent, record.written, record.unchanged) == (False, 0, 0)
    assert record.changed == scored.rows["account_id"].nunique()
    assert len(record.sample) == 3
    assert set(next(iter(record.sample.values()))) == set(COLUMNS_SENT.values())


def test_only_what_changed_is_sent_again(
    filled: ScoreStore, run: ScoringRun, scored: Scored, filled_config: Config
) -> None:
    vendor = Taking()
    with serving(vendor) as (url, _):
        sending = exporting(filled_config, url)
        first = run_export(sending, "crm", send=True)
        assert (first.written, len(first.refused)) == (first.changed, 0)
        again = run_export(sending, "crm", send=True)
        assert (again.changed, again.unchanged, again.requests) == (0, first.changed, 0)

        account = scored.rows["account_id"].iloc[0]
        rows = scored.rows.copy()
        rows.loc[rows["account_id"] == account, "renews_at"] += pd.Timedelta(days=1)
        moved = Scored(**(vars(scored) | {"rows": rows}))
        filled.add(earlier(run, data_fingerprint="e"), moved)
        vendor.rows.clear()
        third = run_export(sending, "crm", send=True)
    assert (third.changed, list(vendor.rows)) == (1, [account])


def test_a_delivery_that_was_broken_off_goes_on_with_the_rest(
    scored: Scored,
    filled_config: Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tenure.score.delivery import deliver

    small = type(deliver.ADAPTERS["http"])(**(vars(deliver.ADAPTERS["http"]) | {"rows": 20}))
    monkeypatch.setitem(deliver.ADAPTERS, "http", small)
    with serving(Taking(batches=1)) as (url, _):
        first = run_export(exporting(filled_config, url), "crm", send=True)
    assert first.written == 20
    assert len(first.not_processed) == first.changed - 20
    assert first.not_processed[0].reason == 'HTTP 403: {"message": "gone"}'
    vendor = Taking()
    with serving(vendor) as (url, _):
        second = run_export(exporting(filled_config, url), "crm", send=True)
    assert second.written == len(first.not_processed) == len(vendor.rows)


def test_a_table_is_made_and_then_updated(scored: Scored, filled_config: Config) -> None:
    target = ExportConfig(
        adapter="table",
        url=filled_config.store.url,
        object="scores_for_crm",
        key="id",
        columns=COLUMNS_SENT,
    )
    sending = filled_config.model_copy(update={"exports": {"warehouse": target}})
    record = run_export(sending, "warehouse", send=True)
    engine = create_engine(str(filled_config.store.url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE scores_for_crm SET band = 'old'"))
        connection.execute(text("DELETE FROM deliveries"))
    assert run_export(sending, "warehouse", send=True).written == record.written
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, risk, band FROM scores_for_crm")).all()
    engine.dispose()
    first = scored.rows.drop_duplicates("account_id").set_index("account_id")
    assert len(rows) == record.written == len(first)
    for account, risk, band in rows:
        expected = first.loc[account]
        assert (risk is None) == bool(pd.isna(expected["churn_probability"]))
        assert risk is None or risk == expected["churn_probability"]
        assert (band or "") == ("" if pd.isna(expected["risk_band"]) else expected["risk_band"])


def test_wrong_settings_are_one_clear_message_each(store: ScoreStore, config: Config) -> None:
    sending = exporting(config, "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="export: no run was kept → run `tenure score CONFIG"):
        run_export(sending, "crm")
    with pytest.raises(ConfigError, match="did you mean `crm`"):
        run_export(sending, "crn")
    wrong = ExportConfig(adapter="hubspott", url="u", columns={"a": "b"})
    with pytest.raises(ConfigError, match="did you mean `hubspot`"):
        run_export(config.model_copy(update={"exports": {"x": wrong}}), "x")
    unknown = ExportConfig(adapter="http", url="u", columns={"churn_probabilty": "b"})
    with pytest.raises(ConfigError, match="did you mean `churn_probability`"):
        run_export(config.model_copy(update={"exports": {"x": unknown}}), "x")


def test_a_target_needs_its_own_variables_alone(
    scored: Scored, filled_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Taking()) as (url, seen):
        sending = exporting(filled_config, url, token="\ue000CRM_TOKEN\ue001")
        with pytest.raises(
            ConfigError, match=r"\$\{CRM_TOKEN\}: is not set in the environment → exp"
        ):
            run_export(sending, "crm")
        monkeypatch.setenv("CRM_TOKEN", "s3cret")
        assert run_export(sending, "crm", send=True).written
    assert seen[0].headers["authorization"] == "Bearer s3cret"


def test_no_secret_of_a_target_is_in_a_record(config: Config) -> None:
    secret = ExportConfig(url="https://u:pw@host", token="t0ken", headers={"X": "h1dden"})
    dumped = config.model_copy(update={"exports": {"x": secret}}).model_dump_json()
    shown = repr(secret)
    assert not any(word in dumped + shown for word in ("pw@host", "t0ken", "h1dden"))
