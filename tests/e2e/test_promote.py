"""`tenure promote`: a better model goes live, a worse one does not, any can be put back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from champions import set_champion
from e2e.bundles import EARLY, TARGET, as_text, bundle_of, early, publish, standing, tilted
from e2e.road import SETTINGS, Project, command
from tenure.core.errors import ConfigError, ModelError
from tenure.core.times import show
from tenure.model.registry.champion import history
from tenure.model.tracking import Store
from tenure.model.tracking.store import connected
from tenure.run.promote import PromotionRequest, run_promote

pytestmark = pytest.mark.slow


@pytest.fixture
def own(project: Project, tmp_path: Path) -> Project:
    return project.copied(tmp_path / "own").set(targets=[TARGET])


def files(own: Project) -> dict[str, bytes]:
    home = own.root / "models"
    return {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file()}


def test_nothing_waits(own: Project) -> None:
    before = files(own)
    said = command("promote", own.root / "config.yaml")
    assert said.code == 0
    assert f"The champion {standing(own)} stays: no later bundle waits." in said.out
    assert files(own) == before


def test_one_that_its_own_backtest_does_not_allow(own: Project) -> None:
    before = standing(own)
    version = publish(own, bundle_of(own), promotable=False)
    said = command("promote", own.root / "config.yaml")
    assert said.code == 1
    assert f"churn: {version} is refused" in said.out
    assert "its own backtest does not allow it" in said.out
    assert command("promote", own.root / "config.yaml", "--to", version).code == 1
    assert standing(own) == before


def test_both_as_they_stand_on_rows_that_neither_saw(own: Project) -> None:
    first = bundle_of(own)
    bad = early(own, shift=2.5)
    good = publish(own, first, trained_until=show(EARLY))
    dry = run_promote(own.config, PromotionRequest(dry_run=True))
    entry = dry.targets[TARGET]
    assert (entry.action, entry.champion, entry.version) == ("promoted", bad, good)
    found = entry.comparison
    assert found is not None
    assert found.basis == "unseen"
    assert found.first >= show(EARLY)
    assert found.as_it_stands is None
    assert found.gain.log_loss.above
    assert standing(own) == bad
    said = command("promote", own.root / "config.yaml", "--json", "--reason", "quarterly")
    assert said.code == 0
    assert json.loads(said.out)["targets"][TARGET]["comparison"] == found.to_json()
    assert standing(own) == good
    line = history(own.root / "models", TARGET)[-1]
    assert (line.action, line.previous, line.reason) == ("promoted", bad, "quarterly")
    assert line.who
    assert line.facts["gain"] == found.gain.to_json()
    assert line.facts["said"][0].startswith("Better on the same rows")
    assert line.facts["used"]["contests"] == 1  # the dry run decided nothing


def test_a_worse_challenger_is_refused_until_it_is_forced(own: Project) -> None:
    good = early(own)
    bad = publish(own, tilted(bundle_of(own), 2.5), trained_until=show(EARLY))
    said = command("promote", own.root / "config.yaml")
    assert said.code == 1
    assert "Refused: better on the same rows with a probability of 0%" in said.out
    assert "have decided 1 contest and" in said.out
    assert standing(own) == good
    said = command("promote", own.root / "config.yaml", "--force")
    assert said.code == 0
    assert f"{bad} is champion now, by force, instead of {good}" in said.out
    line = history(own.root / "models", TARGET)[-1]
    assert (line.version, line.action) == (bad, "forced")
    assert line.reason.startswith("Overruled: better on the same rows with a probability of 0%")
    said = command("promote", own.root / "config.yaml", "--to", good, "--reason", "complaints")
    assert said.code == 0
    assert f"{good} is champion again, instead of {bad}" in said.out
    line = history(own.root / "models", TARGET)[-1]
    assert (line.version, line.action, line.reason) == (good, "rolled_back", "complaints")
    said = command("promote", own.root / "config.yaml")
    assert "no later bundle waits" in said.out


def test_the_older_one_as_it_stands_beside_the_newer_recipe(own: Project) -> None:
    first = bundle_of(own)
    early(own, shift=2.5)
    publish(own, first)
    found = run_promote(own.config).targets[TARGET]
    assert found.action == "promoted"
    assert found.comparison is not None
    assert found.comparison.basis == "later"
    assert found.comparison.as_it_stands is not None


def test_recipes_speak_where_everything_was_learnt_from(own: Project) -> None:
    first = bundle_of(own)
    publish(own, replace(first, card="# another\n"))
    found = run_promote(own.config).targets[TARGET]
    assert found.comparison is not None
    assert found.comparison.basis == "replayed"
    assert found.comparison.gain.log_loss.value == 0
    assert found.action == "refused"  # the same, from the same outcomes
    pooled = first.metrics.pooled.log_loss
    assert found.comparison.champion.log_loss.value == pytest.approx(pooled.value)


def test_a_twin_from_later_outcomes_takes_over(own: Project) -> None:
    first = bundle_of(own)
    day = as_text(first, -1)
    older = publish(own, first, days=-30, trained_until=day)
    set_champion(own.root / "models", TARGET, older, "test", "test")
    publish(own, replace(first, card="# another\n"))
    found = run_promote(own.config).targets[TARGET]
    assert found.comparison is not None
    assert found.comparison.basis == "replayed"
    assert found.action == "promoted"
    assert found.sentences == ("Made like the champion, from later outcomes; as good as it.",)


def test_a_newer_twin_takes_over_where_outcomes_are_too_few_for_a_contest(own: Project) -> None:
    first = bundle_of(own)
    older = publish(own, first, days=-30, trained_until=as_text(first, -1))
    set_champion(own.root / "models", TARGET, older, "test", "test")
    few = own.set(model={**SETTINGS["model"], "min_events": 10_000})
    publish(own, replace(first, card="# another\n"), recipe="another")
    refused = run_promote(few.config).targets[TARGET]
    assert refused.action == "refused"
    assert "cannot be compared with fewer than 10000 distinct outcomes" in refused.sentences[0]
    twin = publish(own, replace(first, card="# a twin\n"), days=2)
    found = run_promote(few.config).targets[TARGET]
    assert (found.action, found.version, found.comparison) == ("promoted", twin, None)
    assert found.sentences[0].startswith("Made like the champion, from outcomes until ")
    assert standing(own) == twin


def test_a_bundle_that_is_not_its_recipe_is_refused(own: Project) -> None:
    first = bundle_of(own)
    older = publish(own, first, days=-30, trained_until=as_text(first, -1))
    set_champion(own.root / "models", TARGET, older, "test", "test")
    publish(own, tilted(first, 4.0))
    found = run_promote(own.config).targets[TARGET]
    assert found.action == "refused"
    assert "worse than its recipe would have" in found.sentences[0]


def test_what_cannot_be_asked_is_said(own: Project) -> None:
    with pytest.raises(ConfigError, match="--target: is not a target of the config"):
        run_promote(own.config, PromotionRequest(target="expansion"))
    with pytest.raises(ModelError, match=r"--to: is no published version of churn.*did you mean"):
        run_promote(own.config, PromotionRequest(to=standing(own)[:-1] + "x"))
    said = command("promote", own.root / "config.yaml", "--to", standing(own))
    assert (said.code, "is champion already" in said.out) == (0, True)


def test_the_first_champion_needs_no_other(own: Project) -> None:
    bundle = bundle_of(own)
    (own.root / "models" / TARGET / "champion.json").unlink()
    (own.root / "models" / TARGET / "history.jsonl").unlink()
    version = publish(own, bundle)
    entry = run_promote(own.config).targets[TARGET]
    assert (entry.action, entry.version) == ("first", version)
    assert standing(own) == version


def test_a_damaged_champion_is_replaced_on_demand(own: Project) -> None:
    version = publish(own, bundle_of(own))
    path = own.root / "models" / TARGET / "champion.json"
    path.write_text("{", encoding="utf-8")
    assert command("promote", own.root / "config.yaml").code == ModelError.exit_code
    assert command("promote", own.root / "config.yaml", "--to", version, "--force").code == 0
    assert standing(own) == version


def test_the_alias_follows(own: Project) -> None:
    name, first = f"{own.config.name}-{TARGET}", standing(own)
    other = publish(own, bundle_of(own), days=-30)
    set_champion(own.root / "models", TARGET, other, "test", "test")
    # MLflow never heard of that one.
    assert "was never registered" in " ".join(run_promote(own.config).notes)
    result = run_promote(own.config, PromotionRequest(to=first))
    assert result.targets[TARGET].action == "rolled_back"
    with connected(Store.from_config(own.config)) as client:
        version = client.get_model_version_by_alias(name, "champion")
        assert version.tags["tenure.bundle"] == first
