"""What keeps a history short is said: a log that begins late, ends that no label knows yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tenure.core.config import Config, make_config
from tenure.engine import Engine, open_engine
from tenure.labels.history import late_usage, unsettled_ends, why_short, with_history
from tenure.labels.targets import CHURN, EXPANSION
from tenure.sources.dataset import Dataset
from tenure.sources.load import load

LAST = date(2023, 12, 31)


def write(folder: Path, name: str, head: str, *lines: str) -> None:
    (folder / f"{name}.csv").write_text(f"{head}\n" + "\n".join(lines) + "\n")


class Loaded:
    """Loads the folder with settings; keeps the engines that hold the tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engines: list[Engine] = []

    def __call__(self, **settings: object) -> tuple[Config, Dataset]:
        config = make_config({"data": {"path": str(self.folder)}, **settings}, base=self.folder)
        self.engines.append(open_engine(config))
        return config, load(config, self.engines[-1])


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Loaded]:
    head = "account_id,created_at"
    write(tmp_path, "accounts", head, *(f"{name},2023-01-01" for name in "ab"))
    write(tmp_path, "subscriptions", "account_id,started_at,ended_at,mrr", "a,2023-01-02,,100",
          "b,2023-01-02,2023-06-15,100")  # fmt: skip
    result = Loaded(tmp_path)
    yield result
    for engine in result.engines:
        engine.close()


def usage(folder: Path, first: date) -> None:
    days = [first + timedelta(days=n) for n in range((LAST - first).days + 1)]
    lines = [f"a,login,{day} 10:00" for day in days]
    write(folder, "usage_events", "account_id,event,occurred_at", *lines)


def test_a_log_that_leaves_no_prediction_time_is_the_cause(loaded: Loaded) -> None:
    usage(loaded.folder, date(2023, 10, 15))
    config, dataset = loaded()
    remark = late_usage(config, dataset)
    assert remark is not None
    assert remark.red
    # May to January; b pays in May and June only.
    assert remark.rows == 9 + 2
    assert remark.text.startswith(
        "the log begins at 2023-10-15, and the calendar 90 days later; observation stops at "
        "2024-01-01, before it: 9 prediction times from 2023-05-01 on"
    )
    assert "`calendar: {start: 2023-05-01}` uses them" in remark.text
    assert why_short(config, dataset, EXPANSION).startswith("In usage_events the log begins at")
    report = with_history(config, dataset).report
    assert report.red[-1].startswith("usage_events: the log begins at 2023-10-15")
    assert report.tables["usage_events"].remarks[-1].code == "late_log"


def test_a_log_that_begins_half_way_costs_half(loaded: Loaded) -> None:
    usage(loaded.folder, date(2023, 5, 15))
    config, dataset = loaded()
    remark = late_usage(config, dataset)
    assert remark is not None
    assert "4 prediction times from 2023-05-01 on" in remark.text
    assert (remark.share, remark.red) == (4 / 9, False)


def test_a_start_that_is_set_costs_nothing(loaded: Loaded) -> None:
    usage(loaded.folder, date(2023, 10, 15))
    config, dataset = loaded(calendar={"start": "2023-05-01"})
    assert late_usage(config, dataset) is None
    assert with_history(config, dataset) is dataset


@pytest.mark.parametrize("first", [date(2023, 1, 1), date(2023, 1, 20)])
def test_a_log_that_begins_with_the_contracts_costs_nothing(loaded: Loaded, first: date) -> None:
    usage(loaded.folder, first)
    config, dataset = loaded()
    assert late_usage(config, dataset) is None
    assert why_short(config, dataset, CHURN) == ""


def cross_section(folder: Path, left: date) -> None:
    """Write 60 accounts of which 20 left on one day, as a table of today does."""
    starts = [date(2021, 1, 1) + timedelta(days=17 * n) for n in range(60)]
    write(
        folder,
        "accounts",
        "account_id,created_at",
        *(f"c{n},{day}" for n, day in enumerate(starts)),
    )
    lines = [f"c{n},{day},{left if n % 3 == 0 else ''},40" for n, day in enumerate(starts)]
    write(folder, "subscriptions", "account_id,started_at,ended_at,mrr", *lines)


def test_who_left_on_the_last_day_has_no_label_yet(loaded: Loaded) -> None:
    cross_section(loaded.folder, LAST)
    config, dataset = loaded()
    text = unsettled_ends(config, dataset)
    assert text.startswith("The data hold ends that no label knows yet: 20 rows end at or after")
    assert "Labels are known of prediction times up to 2023-06-" in text
    assert "A table of one moment in time" in text
    assert why_short(config, dataset, CHURN) == text
    assert why_short(config, dataset, EXPANSION) == ""


def test_ends_within_the_last_window_are_dated(loaded: Loaded) -> None:
    cross_section(loaded.folder, date(2023, 9, 20))
    config, dataset = loaded(data={"path": str(loaded.folder), "observed_until": "2024-01-01"})
    text = unsettled_ends(config, dataset)
    assert "20 accounts stop paying, all from 2023-09-20 to 2023-09-20" in text
    assert "up to 2023-09-03" in text


def test_ends_of_the_past_are_labels(loaded: Loaded) -> None:
    config, dataset = loaded(data={"path": str(loaded.folder), "observed_until": "2024-01-01"})
    assert unsettled_ends(config, dataset) == ""
