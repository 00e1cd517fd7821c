"""The metrics, declared; in the order in which they are shown."""

from __future__ import annotations

from tenure.success.declarations import MetricDeclaration
from tenure.success.definitions.adoption import ADOPTION
from tenure.success.definitions.renewals import RENEWALS
from tenure.success.definitions.retention import RETENTION
from tenure.success.definitions.revenue import REVENUE
from tenure.success.definitions.scores import SCORES
from tenure.success.definitions.support import SUPPORT
from tenure.success.definitions.voice import VOICE

CHAPTERS: dict[str, tuple[MetricDeclaration, ...]] = {
    "Revenue and its movements": REVENUE,
    "Churn, retention and lifetime value": RETENTION,
    "Renewals": RENEWALS,
    "Voice of the customer": VOICE,
    "Adoption and onboarding": ADOPTION,
    "Support": SUPPORT,
    "The scores, once their outcome is known": SCORES,
}
"""Metrics by the title of their chapter."""

METRICS: dict[str, MetricDeclaration] = {
    metric.name: metric for metrics in CHAPTERS.values() for metric in metrics
}
"""Metrics by name."""
