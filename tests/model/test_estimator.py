"""The classifier keeps scikit-learn's rules and does not depend on threads."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from tenure.model.estimator import TenureClassifier


@parametrize_with_checks([TenureClassifier()])
def test_sklearn(estimator, check):
    check(estimator)
