"""A bundle is whole, named by its content, and scores the same everywhere."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from model.conftest import fitted
from model.panel import LEVELS
from tenure.core.errors import ModelError
from tenure.core.files import canonical_json, sha256
from tenure.core.records.bundle import FORMAT
from tenure.model.bundle.bundle import read_bundle, write_bundle
from tenure.model.bundle.files import CONTENT, MANIFEST, RUN, check_files, version_of, write_files


def with_main(bundle, **changes):
    """Return a bundle whose main model has other parts."""
    name = str(bundle.spec.labels.horizon_days)
    return replace(bundle, models={**bundle.models, name: replace(bundle.main, **changes)})


@pytest.fixture
def folder(bundle, tmp_path):
    return write_bundle(bundle, tmp_path, "churn")


def test_published_under_its_version(bundle, folder, tmp_path):
    assert folder == tmp_path / "churn" / bundle.version
    assert len(bundle.version) == 12
    assert sorted(path.name for path in folder.iterdir()) == sorted([*CONTENT, RUN, MANIFEST])
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["outside_version"] == ["run.json"]
    assert manifest["files"] == {name: sha256(folder / name) for name in (*CONTENT, RUN)}


def test_reads_back_the_same(bundle, folder, panel):
    again = read_bundle(folder)
    assert again == bundle
    assert again.version == bundle.version
    assert again.run == {"at": "2024-01-01"}
    np.testing.assert_array_equal(
        again.main.probabilities(panel.values), bundle.main.probabilities(panel.values)
    )


def test_one_row_alone_equals_the_batch_to_the_last_bit(folder, panel):
    model = read_bundle(folder).main
    for score in (model.margins, model.probabilities, model.contributions):
        batch = score(panel.values)
        for row in range(0, len(panel.values), 37):
            assert (score(panel.values.iloc[[row]])[0] == batch[row]).all()
    probabilities, *_, contributions = model.scores(panel.values)
    assert (probabilities == model.probabilities(panel.values)).all()
    assert (contributions == model.contributions(panel.values)).all()


def test_levels_may_be_given_or_are_looked_up(folder, panel):
    bundle = read_bundle(folder)
    assert {item.name for item in LEVELS} <= set(bundle.columns)
    whole = bundle.main.encoder.frame(panel.values)
    assert list(whole) == list(bundle.columns)
    np.testing.assert_array_equal(bundle.main.margins(whole), bundle.main.margins(panel.values))
    assert set(bundle.columns) <= set(bundle.reference["features"])
    with pytest.raises(ModelError, match="usage_level"):
        bundle.main.margins(panel.values.drop(columns="tenure_days"))


def test_a_further_horizon_is_a_model_like_the_main_one(bundle, second, panel, tmp_path):
    both = replace(bundle, models={**bundle.models, "180": second.main})
    again = read_bundle(write_bundle(both, tmp_path, "churn"))
    assert list(again.models) == ["180", "90"]
    assert again == both
    assert again.main == bundle.main
    assert again.version != bundle.version
    further = again.models["180"]
    values = panel.values.tail(50)
    for one, other in zip(
        second.main.scores(values),
        further.scores(values),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert set(further.columns) <= set(again.columns)
    assert again.columns[: len(again.main.columns)] == again.main.columns


def test_contributions_add_up_to_the_margin(bundle, panel):
    model = bundle.main
    gap = model.contributions(panel.values).sum(axis=1) - model.margins(panel.values)
    assert np.abs(gap).max() < 1e-12


def test_no_rows_give_no_scores(bundle, panel):
    nobody = panel.values.head(0)
    assert bundle.main.probabilities(nobody).shape == (0,)
    assert bundle.main.contributions(nobody).shape == (0, len(bundle.columns) + 1)


def test_the_version_follows_content_not_runs(bundle, panel):
    assert replace(bundle, run={"at": "later"}).version == bundle.version
    assert fitted(panel, threads=2).version == bundle.version
    assert replace(bundle, card="# Other\n").version != bundle.version
    assert fitted(panel, depth=1).version != bundle.version


def test_examples_carry_no_ids(folder, panel):
    examples = json.loads((folder / "examples.json").read_text())
    assert len(examples["rows"]) == len(examples["probabilities"]) == 20
    assert not set(examples["columns"]) & set(panel.rows.columns) - {"mrr"}
    assert not any(name in (folder / "examples.json").read_text() for name in ("a00000", "a00001"))


def test_reference_describes_the_training_rows(bundle, panel):
    known = panel.values[panel.rows["label"].notna().to_numpy()]
    found = bundle.reference["features"]["nps"]
    assert found["missing"] == pytest.approx(known["nps"].isna().mean())
    assert found["mean"] == pytest.approx(known["nps"].mean())
    assert found["quantiles"]["0.5"] == pytest.approx(known["nps"].median())
    shares = bundle.reference["features"]["segment"]["values"]
    assert sum(shares.values()) == pytest.approx(1)
    assert bundle.reference["peers"] == {"smb": {"mrr": 100.0}}


@pytest.mark.parametrize("name", [*CONTENT, RUN])
def test_a_truncated_file_is_named(folder, name):
    text = (folder / name).read_bytes()
    (folder / name).write_bytes(text[: len(text) // 2])
    with pytest.raises(ModelError) as error:
        read_bundle(folder)
    message = str(error.value)
    assert message.startswith(f"{folder / name}: differs from its checksum: truncated or edited")
    assert "restore the folder from a copy, or train again" in message


@pytest.mark.parametrize("name", [*CONTENT, RUN])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name}: is missing from the bundle"):
        read_bundle(folder)


def test_a_truncated_or_missing_manifest_is_named(folder):
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text[:50])
    with pytest.raises(ModelError, match=r"MANIFEST.json: is not JSON: truncated or edited"):
        read_bundle(folder)
    (folder / MANIFEST).write_text("[]")
    with pytest.raises(ModelError, match=r"MANIFEST.json: lists no files"):
        read_bundle(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(ModelError, match=r"MANIFEST.json: cannot be read"):
        read_bundle(folder)


def test_a_flipped_bit_anywhere_in_the_manifest_is_seen(folder):
    whole, dice = (folder / MANIFEST).read_bytes(), random.Random(5)
    for place in range(len(whole)):
        flipped = bytes([whole[place] ^ (1 << dice.randrange(8))])
        (folder / MANIFEST).write_bytes(whole[:place] + flipped + whole[place + 1 :])
        with pytest.raises(ModelError):
            check_files(folder)


def test_a_bundle_of_another_tenure_is_named_as_such(folder):
    manifest = json.loads((folder / MANIFEST).read_text()) | {"format": FORMAT - 1}
    (folder / MANIFEST).write_text(canonical_json(manifest) + "\n")
    (folder / "card.md").unlink()  # it had other files
    with pytest.raises(ModelError, match=rf"not of format {FORMAT}.*tenure train") as caught:
        read_bundle(folder)
    assert f"found: format {FORMAT - 1}" in str(caught.value)


def published(folder, **changed):
    """Return the folder of a bundle with other texts, under the version of these."""
    texts = {name: (folder / name).read_text() for name in CONTENT} | changed
    other = folder.with_name(version_of(texts))
    other.mkdir()
    write_files(texts, json.loads((folder / RUN).read_text()), other)
    return other


def test_models_that_are_written_otherwise_are_refused(bundle, folder):
    state = json.loads((folder / "models.json").read_text())
    older = {name: {"kind": one.get("kind", "")} for name, one in state.items()}
    other = published(folder, **{"models.json": json.dumps(older)})
    with pytest.raises(ModelError, match="is not as in this version"):
        read_bundle(other)


def forge(folder, name, text):
    """Edit a file and make the manifest agree, as a careful forger would."""
    (folder / name).write_text(text)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = sha256(folder / name)
    (folder / MANIFEST).write_text(canonical_json(manifest) + "\n")


def test_an_edit_with_a_matching_checksum_breaks_the_version(folder):
    forge(folder, "card.md", "# Better\n")
    with pytest.raises(ModelError, match="does not carry the version of its content"):
        read_bundle(folder)


def test_a_renamed_folder_is_not_that_version(folder):
    other = folder.with_name("0" * 12)
    folder.rename(other)
    with pytest.raises(ModelError, match="does not carry the version of its content"):
        read_bundle(other)


def test_examples_that_score_otherwise_are_refused(bundle, tmp_path):
    examples = dict(bundle.examples)
    examples["probabilities"] = [value + 1e-9 for value in examples["probabilities"]]
    folder = write_bundle(replace(bundle, examples=examples), tmp_path, "churn")
    with pytest.raises(ModelError, match=r"examples.json: does not score as it did .*1.0e-09"):
        read_bundle(folder)
    assert folder.name == replace(bundle, examples=examples).version


def test_a_broken_booster_text_is_refused(bundle, tmp_path):
    folder = write_bundle(with_main(bundle, booster_text="tree\n"), tmp_path, "churn")
    with pytest.raises(ModelError, match="not a booster that LightGBM reads"):
        read_bundle(folder)


def test_another_format_is_refused(folder):
    spec = json.loads((folder / "spec.json").read_text())
    other = published(folder, **{"spec.json": json.dumps(spec | {"format": 99})})
    with pytest.raises(ModelError, match=rf"spec.json: has not format {FORMAT}"):
        read_bundle(other)


def test_no_folder_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match=r"is not a bundle folder.*tenure train"):
        read_bundle(tmp_path / "nothing")


def test_writing_again_keeps_the_first_and_mends_a_damaged_one(bundle, folder, tmp_path):
    before = (folder / RUN).stat().st_mtime_ns
    assert write_bundle(replace(bundle, run={"at": "later"}), tmp_path, "churn") == folder
    assert (folder / RUN).stat().st_mtime_ns == before
    (folder / "models.json").write_text("")
    assert read_bundle(write_bundle(bundle, tmp_path, "churn")) == bundle


def test_leftovers_of_killed_runs_are_ignored_and_swept(bundle, second, folder, tmp_path):
    left = folder.with_name(f".{second.version}.dead.tmp")
    shutil.copytree(folder, left)
    (left / "models.json").unlink()
    stray = folder.with_name(".champion.json.dead.tmp")
    stray.write_text("{")
    assert read_bundle(folder) == bundle
    write_bundle(second, tmp_path, "churn")
    assert not left.exists()
    assert not stray.exists()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_step_of_a_write_the_old_bundle_stays_and_a_rerun_completes(
    bundle, second, tmp_path
):
    old = write_bundle(bundle, tmp_path, "churn")
    for step in range(30):
        pid = os.fork()
        if pid == 0:
            _die_at(step)
            write_bundle(second, tmp_path, "churn")
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert read_bundle(old) == bundle
        target = tmp_path / "churn" / second.version
        if target.exists():
            assert read_bundle(target) == second
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert write_bundle(second, tmp_path, "churn") == target
    assert not list((tmp_path / "churn").glob(".*.tmp"))


def _die_at(step):
    """Kill this process at the nth call that touches the disk."""
    seen = [0]

    def counted(real):
        def call(*args, **how):
            if seen[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
            seen[0] += 1
            return real(*args, **how)

        return call

    for name in ("mkdir", "rename", "fsync"):
        setattr(os, name, counted(getattr(os, name)))


def test_scoring_needs_no_other_heavy_library(folder):
    code = (
        "import sys; from pathlib import Path; from tenure.model.bundle.bundle import read_bundle; "
        f"read_bundle(Path({str(folder)!r})); "
        "print(sorted({'mlflow', 'duckdb', 'shap', 'bentoml', 'altair'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
