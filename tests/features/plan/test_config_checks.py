"""A config's own features are checked when it is read: each refusal names place and reason."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenure.core.config import Config
from tenure.core.errors import ConfigError
from tenure.features.plan.config_checks import check_features, load_config
from tenure.features.plan.custom import module_digests, own_families

GOOD = {
    "name": "exports",
    "source": "usage_events",
    "aggregate": "count(*)",
    "where": "event = 'export'",
    "windows": [28, 84],
    "sentence": "{value} exports in the last {window}",
}
MODULE = """
    from tenure.core.spec import Derived, Family, Feature, Ranked

    FAMILY = Family(
        "exporting",
        "Exporting",
        (
            Feature("exports", "usage_events", "count(*)", "{value} exports in the last {window}",
                    where="event = 'export'", windows=(28, 84), lever=True),
            Derived("exports_pace", "3 * exports_28d / exports_84d", "exports at {value} of pace"),
            Ranked("exports_level", "exports_28d", "exports above {value} of peers"),
        ),
    )
"""


def written(folder: Path, features: Any, **data: Any) -> Path:
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump({"data": {"path": "."} | data, "features": features}))
    return path


def module(folder: Path, text: str, name: str = "mine.py") -> Path:
    (folder / name).write_text(textwrap.dedent(text))
    return written(folder, {"modules": [name]})


def refused(folder: Path, features: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(written(folder, features))
    return str(caught.value)


def names(config: Config) -> dict[str, list[str]]:
    found = own_families(config.features)
    return {family.name: [item.name for item in family.features] for family in found}


def test_a_list_under_features_is_short_for_custom(tmp_path: Path) -> None:
    short = load_config(written(tmp_path, [GOOD]))
    assert short == load_config(written(tmp_path, {"custom": [GOOD]}))
    assert names(short) == {"custom": ["exports"]}


def test_a_custom_feature_may_name_its_family(tmp_path: Path) -> None:
    pace = {"name": "pace", "formula": "exports_28d / events_28d", "sentence": "{value} of use"}
    level = {"name": "level", "of": "exports_28d", "sentence": "exports above {value} of peers"}
    config = load_config(
        written(tmp_path, [GOOD | {"family": "exporting"}, pace, level | {"family": "exporting"}])
    )
    assert names(config) == {"exporting": ["exports", "level"], "custom": ["pace"]}
    titles = [family.title for family in own_families(config.features)]
    assert titles == ["Exporting", "Your own features"]


CLOCKS = [
    ("opened_at < now()", "must not read a clock or chance"),
    ("opened_at < current_date", "must not read a clock or chance"),
    ("opened_at < current_timestamp", "must not read a clock or chance"),
    ("random() < 0.5", "must not read a clock or chance"),
]
FRAGMENTS = [
    *CLOCKS,
    ("prority = 'high'", "unknown column `prority`"),
    ("tickets.priority = 'high'", "without a table"),
    ("opened_at > (select max(opened_at) from tickets)", "must not hold a sub-query"),
    ("exists (select 1)", "must not hold a sub-query"),
    ("row_number() over (order by opened_at) = 1", "must not hold a window function"),
    ("lead(priority) over (order by opened_at) = 'high'", "must not hold a window function"),
    ("max(csat_score) over () > 3", "must not hold a window function"),
    ("count(*) > 1", "must not hold a"),
    ("true; drop table tickets", "not several statements"),
    ("true;", "not several statements"),
    ("true -- always", "must not hold a comment"),
    ("true from tickets", "must be one expression"),
    ("true as x", "must not carry an alias"),
    ("priority = ?", "must not hold a parameter"),
    ("unheard_of(priority)", "calls an unknown function"),
    ("priority = ", "is not valid SQL"),
    ("resolved_at is null", "late column `resolved_at`"),
]


@pytest.mark.parametrize(("fragment", "reason"), FRAGMENTS)
def test_a_bad_condition_is_refused_when_the_config_is_read(
    tmp_path: Path, fragment: str, reason: str
) -> None:
    bad = GOOD | {"source": "tickets", "where": fragment}
    said = refused(tmp_path, [GOOD | {"name": "fine"}, bad])
    assert said.startswith("features.custom.1.where: ")
    assert reason in said


AGGREGATES = [
    ("sum(csat)", "unknown column `csat`"),
    ("sum(csat_score) + 1", "must be an aggregate"),
    ("sum((select 1))", "must not hold a sub-query"),
    ("sum(epoch(now()))", "must not read a clock or chance"),
    ("max(csat_score) over ()", "must be an aggregate"),
    ("count(*); count(*)", "not several statements"),
    ("median(csat_score)", "must be an aggregate"),
    ("avg(priority)", "`avg` needs numbers"),
]


@pytest.mark.parametrize(("fragment", "reason"), AGGREGATES)
def test_a_bad_aggregate_is_refused_when_the_config_is_read(
    tmp_path: Path, fragment: str, reason: str
) -> None:
    said = refused(tmp_path, [GOOD | {"source": "tickets", "where": None, "aggregate": fragment}])
    assert said.startswith("features.custom.0.aggregate: ")
    assert reason in said


OTHERS: list[tuple[dict[str, Any], str, str]] = [
    (GOOD | {"source": "ticket"}, "features.custom.0.source: ", "did you mean `tickets`?"),
    (GOOD | {"windw": [1]}, "features.custom.0.windw: ", "unknown key"),
    (GOOD | {"windows": ["x"]}, "features.custom.0.windows.0: ", "integer"),
    (GOOD | {"windows": [0]}, "features.custom.0.windows: ", "days ≥ 1"),
    (GOOD | {"lag": 28}, "features.custom.0.lag: ", "less than the shortest window"),
    (GOOD | {"at": "occurred_at"}, "features.custom.0.at: ", "must be a late time"),
    (GOOD | {"each": "evnt"}, "features.custom.0.each: ", "did you mean `event`?"),
    (GOOD | {"running": True}, "features.custom.0.running: ", "rows end"),
    (
        GOOD
        | {"source": "tickets", "where": None, "windows": [], "running": True}
        | {"aggregate": "longest_gap(opened_at)"},
        "features.custom.0.running: ",
        "does not go with longest_gap",
    ),
    (GOOD | {"sentence": "x"}, "features.custom.0.sentence: ", "{value}"),
    (GOOD | {"family": "usage"}, "features.custom.0.family: ", "Tenure's own"),
    (GOOD | {"family": "my own"}, "features.custom.0.family: ", "must be a name"),
    (
        {"name": "d", "formula": "evnts_28d / 2", "sentence": "{value}"},
        "features.custom.0.formula: ",
        "did you mean `events_28d`?",
    ),
    (
        {"name": "d", "formula": "events_28d > 1", "sentence": "{value}"},
        "features.custom.0.formula: ",
        "arithmetic",
    ),
    (
        {"name": "d", "formula": "(select 1)", "sentence": "{value}"},
        "features.custom.0.formula: ",
        "arithmetic",
    ),
    (
        {"name": "d", "of": "evnts_28d", "sentence": "{value}"},
        "features.custom.0.of: ",
        "did you mean `events_28d`?",
    ),
    (
        {"name": "d", "of": "events_28d", "edges": [2, 1], "sentence": "{value}"},
        "features.custom.0.edges: ",
        "must ascend",
    ),
    (GOOD | {"name": "events", "windows": [28]}, "feature `events_28d`", "declared twice"),
]


@pytest.mark.parametrize(("authored", "place", "reason"), OTHERS, ids=[x[1] for x in OTHERS])
def test_whatever_else_is_wrong_is_refused_with_its_place(
    tmp_path: Path, authored: dict[str, Any], place: str, reason: str
) -> None:
    said = refused(tmp_path, [authored])
    assert said.startswith(place)
    assert reason in said


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    bad = [GOOD | {"where": "now() > occurred_at"}, GOOD | {"name": "b", "aggregate": "sum(x)"}]
    said = refused(tmp_path, bad)
    assert said.startswith("2 problems:")
    assert "features.custom.0.where" in said
    assert "features.custom.1.aggregate" in said


def test_an_attribute_of_accounts_is_told_apart_once_there_is_a_table(tmp_path: Path) -> None:
    tier = {"name": "tier", "source": "accounts", "aggregate": "last(tier)", "sentence": "{value}"}
    assert names(load_config(written(tmp_path, [tier]))) == {"custom": ["tier"]}


def test_a_module_gives_families(tmp_path: Path) -> None:
    config = load_config(module(tmp_path, MODULE))
    check_features(config)
    assert names(config) == {"exporting": ["exports", "exports_pace", "exports_level"]}
    assert config.features.modules == [str(tmp_path / "mine.py")]


def test_an_importable_module_may_hold_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = textwrap.dedent(MODULE) + "\nFAMILIES = {FAMILY.name: FAMILY}\ndel FAMILY\n"
    (tmp_path / "their_features.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    config = load_config(written(tmp_path, {"modules": ["their_features"]}))
    check_features(config)
    assert list(names(config)) == ["exporting"]
    assert list(module_digests(config.features)) == ["their_features"]


def test_reading_a_config_runs_no_module(tmp_path: Path) -> None:
    config = load_config(module(tmp_path, "raise RuntimeError('was run')"))
    with pytest.raises(ConfigError, match=r"features\.modules\.0: cannot be run.*was run"):
        check_features(config)


BAD_MODULES = [
    ("x = 1", "features.modules.0: holds no `FAMILY` or `FAMILIES`"),
    ("FAMILY = 'usage'", "features.modules.0: holds something else than families"),
    ("import nowhere_at_all", "features.modules.0: cannot be run"),
    ("FAMILY = (", "features.modules.0: cannot be run"),
    (
        MODULE.replace("event = 'export'", "evnt = 'export'"),
        "features.modules.0: `exports`.where: refers to an unknown column `evnt`",
    ),
    (
        MODULE.replace("event = 'export'", "occurred_at < now()"),
        "features.modules.0: `exports`.where: must not read a clock or chance",
    ),
    (
        MODULE.replace("3 * exports_28d", "3 * exprts_28d"),
        "features.modules.0: `exports_pace`.formula: names an unknown feature",
    ),
    (MODULE.replace('"exporting"', '"usage"'), "features.modules.0: `exports`.family: is a family"),
]


@pytest.mark.parametrize(("text", "said"), BAD_MODULES, ids=[said for _, said in BAD_MODULES])
def test_a_bad_module_is_refused_like_a_bad_entry(tmp_path: Path, text: str, said: str) -> None:
    config = load_config(module(tmp_path, text))
    with pytest.raises(ConfigError) as caught:
        check_features(config)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.py", "no_such_module", "no.such.module"])
def test_a_module_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    config = load_config(written(tmp_path, {"modules": [name]}))
    with pytest.raises(ConfigError, match=r"features\.modules\.0: is not"):
        check_features(config)


def test_the_text_of_a_module_is_hashed_under_its_name_without_folders(tmp_path: Path) -> None:
    config = load_config(module(tmp_path, MODULE))
    first = module_digests(config.features)
    assert list(first) == ["mine.py"]
    module(tmp_path, MODULE + "\n# more\n")
    assert module_digests(config.features) != first
