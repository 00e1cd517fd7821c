"""Whatever the gains over the base rate are, the headline says one thing of it."""

from __future__ import annotations

from itertools import product

import pytest

from report.record import changed, figure, usable
from tenure.core.records.training import TargetRecord
from tenure.model.evaluation.verdict import judge
from tenure.report.sentences.findings import headline
from tenure.report.sentences.outcome import Outcome

GAINS = (figure(0.02, 0.01), figure(0.005, 0.01), figure(-0.005, 0.01), figure(-0.02, 0.01))
BETTER = "better than giving everyone the average rate"
WORSE = ("Loses to base rate", "Loses to average", "No better than base rate", "base rate and")


def judged(auc: dict[str, float], log_loss: dict[str, float]) -> TargetRecord:
    place = "evaluation.differences.base_rate"
    target = changed(usable(), {f"{place}.auc": auc, f"{place}.log_loss": log_loss})
    return target.model_copy(update={"verdict": judge(target.evaluation, None)})


@pytest.mark.parametrize(("auc", "log_loss"), list(product(GAINS, GAINS)))
def test_a_model_is_never_usable_and_no_better_than_the_base_rate(
    auc: dict[str, float], log_loss: dict[str, float]
) -> None:
    target = judged(auc, log_loss)
    said = headline(Outcome("churn", target))
    texts = " ".join([said.first, *said.more])
    better = target.verdict.status == "usable"
    assert better == (log_loss["lo"] > 0 and auc["hi"] >= 0)
    assert (BETTER in texts) == better
    assert not (better and any(words in texts for words in WORSE))
    assert not (better and said.tone == "bad")
    assert better or said.label != "usable"
    if auc["hi"] < 0 or log_loss["hi"] < 0:
        assert "base_rate" in target.verdict.loses_to
        assert not better
