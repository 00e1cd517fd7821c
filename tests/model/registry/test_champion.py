"""One champion per target, replaced atomically, with a history."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from champions import set_champion
from tenure.core.errors import ModelError
from tenure.model.bundle.bundle import write_bundle
from tenure.model.registry.champion import (
    Change,
    champion,
    change_champion,
    former_versions,
    history,
    settle,
    versions,
    withdraw,
)


@pytest.fixture
def root(bundle, second, tmp_path):
    for one in (bundle, second):
        write_bundle(one, tmp_path, "churn")
    return tmp_path


def current(root) -> str | None:
    found = champion(root, "churn")
    return found.version if found else None


def test_none_at_first(root):
    assert champion(root, "churn") is None
    assert history(root, "churn") == ()


def test_set_and_replaced_with_history(root, bundle, second):
    first = set_champion(root, "churn", bundle.version, "first usable", "ann")
    then = set_champion(root, "churn", second.version, "better log loss", "bob")
    assert champion(root, "churn") == then
    assert (then.previous, then.who, then.reason) == (bundle.version, "bob", "better log loss")
    assert history(root, "churn") == (first, then)
    assert versions(root, "churn") == tuple(sorted([bundle.version, second.version]))


def test_withdrawn_with_history_and_put_back(root, bundle, second):
    assert withdraw(root, "churn", "another world", "ann") is None
    first = set_champion(root, "churn", bundle.version, "first usable", "ann")
    gone = withdraw(root, "churn", "another world", "bob")
    assert champion(root, "churn") is None
    assert gone is not None
    assert (gone.version, gone.action, gone.who) == (bundle.version, "withdrawn", "bob")
    assert history(root, "churn") == (first, gone)
    assert bundle.version in versions(root, "churn")
    settle(root, "churn")
    assert history(root, "churn") == (first, gone)
    then = set_champion(root, "churn", second.version, "usable", "ann")
    assert then.previous is None
    assert history(root, "churn") == (first, gone, then)


def test_killed_while_withdrawing_leaves_the_champion(root, bundle, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    first = set_champion(root, "churn", bundle.version, "first usable", "ann")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            withdraw(root, "churn", "another world", "bob")
    assert champion(root, "churn") == first
    settle(root, "churn")
    assert history(root, "churn")[-1] == first


def test_setting_it_again_changes_nothing(root, bundle):
    first = set_champion(root, "churn", bundle.version, "first usable", "ann")
    assert set_champion(root, "churn", bundle.version, "again", "bob") == first
    assert history(root, "churn") == (first,)


def test_a_damaged_bundle_is_not_promoted(root, bundle, second):
    set_champion(root, "churn", bundle.version, "first usable", "ann")
    (root / "churn" / second.version / "models.json").write_text("")
    with pytest.raises(ModelError, match="differs from its checksum"):
        set_champion(root, "churn", second.version, "better", "bob")
    assert current(root) == bundle.version
    with pytest.raises(ModelError, match="is not a bundle folder"):
        set_champion(root, "churn", "no-such-one", "better", "bob")


def test_a_damaged_file_is_named_and_can_be_replaced(root, bundle):
    path = root / "churn" / "champion.json"
    path.write_text('{"version"')
    with pytest.raises(ModelError, match=r"champion.json: is damaged"):
        champion(root, "churn")
    set_champion(root, "churn", bundle.version, "mended", "ann")
    assert current(root) == bundle.version


def test_a_change_carries_its_action_and_figures(root, bundle):
    facts = {"gain": {"value": 0.01, "lo": None}, "said": ("Better.",)}
    made = change_champion(root, "churn", Change(bundle.version, "why", "ann", "promoted", facts))
    assert champion(root, "churn") == made
    assert history(root, "churn") == (made,)
    assert made.action == "promoted"
    assert made.facts == {"gain": {"value": 0.01, "lo": None}, "said": ["Better."]}


def test_a_change_is_made_against_the_champion_it_was_decided_on(root, bundle, second):
    change_champion(root, "churn", Change(bundle.version, "first", "ann", instead_of=None))
    late = Change(second.version, "better", "bob", instead_of="another")
    with pytest.raises(ModelError, match="was changed meanwhile: not another any more"):
        change_champion(root, "churn", late)
    assert current(root) == bundle.version
    with pytest.raises(ModelError, match="was changed meanwhile"):
        change_champion(root, "churn", Change(second.version, "first", "bob", instead_of=None))
    then = Change(second.version, "better", "bob", instead_of=bundle.version)
    assert change_champion(root, "churn", then).previous == bundle.version


def test_a_line_written_without_figures_is_read(root, bundle):
    set_champion(root, "churn", bundle.version, "first usable", "ann")
    for path in ((root / "churn" / "champion.json"), (root / "churn" / "history.jsonl")):
        kept = json.loads(path.read_text())
        del kept["action"], kept["facts"]
        path.write_text(json.dumps(kept) + "\n")
    found = champion(root, "churn")
    assert found is not None
    assert history(root, "churn") == (found,)
    assert (found.action, found.facts) == ("set", {})


def test_history_catches_up_with_a_writer_killed_before_its_line(root, bundle, second):
    first = set_champion(root, "churn", bundle.version, "first usable", "ann")
    (root / "churn" / "history.jsonl").unlink()
    then = set_champion(root, "churn", second.version, "better", "bob")
    assert history(root, "churn") == (first, then)


def test_many_at_once_leave_one_champion_and_every_line(root, bundle, second):
    set_champion(root, "churn", bundle.version, "first usable", "ann")
    wanted = [second.version, bundle.version] * 5
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda v: set_champion(root, "churn", v, "race", "all"), wanted))
    lines = (root / "churn" / "history.jsonl").read_text().splitlines()
    chain = [json.loads(line) for line in lines]
    assert [line["previous"] for line in chain[1:]] == [line["version"] for line in chain[:-1]]
    assert current(root) == chain[-1]["version"]


def test_former_champions_are_those_that_nobody_took_back(root, bundle, second):
    one, two = bundle.version, second.version
    assert former_versions(root, "churn") == ()
    set_champion(root, "churn", one, "first usable", "ann")
    set_champion(root, "churn", two, "better", "ann")
    assert former_versions(root, "churn") == (two, one)
    change_champion(root, "churn", Change(one, "worse after all", "bob", "rolled_back"))
    assert former_versions(root, "churn") == (one,)
    set_champion(root, "churn", two, "it was the data", "bob")
    assert former_versions(root, "churn") == (two, one)
    withdraw(root, "churn", "another world", "bob")
    assert former_versions(root, "churn") == (one,)
    with (root / "churn" / "history.jsonl").open("a") as file:
        file.write("{")
    assert former_versions(root, "churn") == ()
