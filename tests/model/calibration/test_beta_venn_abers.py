"""Beta and Venn-Abers recover what they can and stay calibrated where a line would not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from tenure.model.calibration.beta_venn_abers import Beta, VennAbers


def drawn(truth, size=60_000, seed=0):
    rng = np.random.default_rng(seed)
    margins = rng.normal(-1.5, 1.5, size)
    return margins, (rng.random(size) < truth(margins)).astype(float)


def test_beta_recovers_two_slopes():
    def truth(margins):
        p = expit(margins)
        return expit(1.6 * np.log(p) - 0.7 * np.log1p(-p) + 0.4)

    fitted = Beta.fit(*drawn(truth))
    assert fitted.rise == pytest.approx(1.6, abs=0.1)
    assert fitted.fall == pytest.approx(0.7, abs=0.1)


def test_beta_of_a_calibrated_booster_is_nearly_the_booster():
    margins, labels = drawn(expit)
    asked = np.linspace(-4, 2, 20)
    np.testing.assert_allclose(
        Beta.fit(margins, labels).probability(asked), expit(asked), atol=0.02
    )


@pytest.mark.parametrize("kind", [Beta, VennAbers])
def test_extreme_margins_have_probabilities(kind):
    found = kind.fit(*drawn(expit, 500)).probability(np.array([-800.0, 0.0, 800.0]))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()


def test_venn_abers_follows_a_step():
    margins, labels = drawn(lambda m: np.where(m > -1, 0.4, 0.05))
    found = VennAbers.fit(margins, labels).probability(np.array([-3.0, -2.0, 0.0, 1.0]))
    np.testing.assert_allclose(found, [0.05, 0.05, 0.4, 0.4], atol=0.03)


def test_venn_abers_is_careful_with_little_to_go_by():
    few = VennAbers.fit(np.array([-2.0, -1.0, 0.0]), np.array([0.0, 0.0, 0.0]))
    assert (few.probability(np.array([-2.0, 0.0])) > 0.05).all()
