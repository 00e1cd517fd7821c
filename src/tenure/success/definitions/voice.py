"""What customers answered: the last answer of each respondent in the period, on one scale."""

from __future__ import annotations

from tenure.success.declarations import Method, MetricDeclaration, share_method

NEEDS = ("survey_responses.score",)


def _of(kind: str, low: int, high: int) -> str:
    return f"survey_type = '{kind}' AND scale_low = {low} AND scale_high = {high}"


def _mixed(kind: str) -> str:
    scale = "(scale_low, scale_high)"
    return f"count(DISTINCT {scale}) FILTER (survey_type = '{kind}') > 1"


def _mean(name: str, rule: str, kind: str, value: str = "score") -> Method:
    own = f"FILTER (survey_type = '{kind}')"
    count = f"count({value}) {own}"
    spread = f"stddev_samp({value}) {own}"
    return Method(
        name,
        rule,
        f"sum({value}) {own}",
        count,
        count,
        interval="mean",
        detail=spread,
        mixed=_mixed(kind),
    )


NPS = _of("nps", 0, 10)
PROMOTERS = f"count(*) FILTER ({NPS} AND score >= 9)"
DETRACTORS = f"count(*) FILTER ({NPS} AND score <= 6)"
ANSWERED = f"count(*) FILTER ({NPS})"
POINTS = f"({PROMOTERS} - {DETRACTORS})"

CSAT = _of("csat", 1, 5)
DECLARED = "survey_type = 'csat' AND threshold IS NOT NULL"
EFFORT, EASE = _of("ces", 1, 5), _of("ces", 1, 7)
EASY = f"({EASE} AND score >= 5) OR ({EFFORT} AND score <= 2)"
HARD = f"({EASE} AND score <= 3) OR ({EFFORT} AND score >= 4)"
CES = f"({EASE}) OR ({EFFORT})"
CES_VALUE = f"CASE WHEN {EASE} THEN (score - 1) / 6 WHEN {EFFORT} THEN (5 - score) / 4 END"
CES_COUNT = f"count(*) FILTER ({CES})"

VOICE = (
    MetricDeclaration(
        "nps",
        "Share of 9 and 10 less share of 0 to 6 among answers from 0 to 10, in [−100, 100].",
        "answers",
        (
            Method(
                "last_answer",
                "the last answer of each respondent in the period",
                POINTS,
                ANSWERED,
                ANSWERED,
                interval="points",
                detail=f"{PROMOTERS} + {DETRACTORS}",
                scale=100,
            ),
        ),
        "score",
        1,
        "nobody answered on the scale 0–10 in the period",
        NEEDS,
    ),
    MetricDeclaration(
        "csat",
        "Share of satisfied answers; scales are never mixed.",
        "answers",
        (
            share_method(
                "top_two",
                "share of 4 and 5 among answers from 1 to 5; other scales are left out",
                f"count(*) FILTER ({CSAT} AND score >= 4)",
                f"count(*) FILTER ({CSAT})",
                used_by="Delighted",
            ),
            share_method(
                "declared",
                "share of answers at or above the threshold that `metrics.csat_thresholds` "
                "declares for their scale",
                f"count(*) FILTER ({DECLARED} AND score >= threshold)",
                f"count(*) FILTER ({DECLARED})",
                mixed=f"count(DISTINCT (scale_low, scale_high)) FILTER ({DECLARED}) > 1",
            ),
            _mean("mean", "mean answer, on the one scale that was used", "csat"),
        ),
        "share",
        1,
        "nobody answered on a scale of this method in the period",
        NEEDS,
    ),
    MetricDeclaration(
        "ces",
        "Ease. Version 1 asks for effort from 1 to 5 (high is effort), version 2 for ease from 1 "
        "to 7 (high is ease); they are told apart by their scale and never mixed.",
        "answers",
        (
            _mean("mean", "mean ease in [0, 1], where 1 is the easiest", "ces", CES_VALUE),
            share_method(
                "share_easy",
                "share of easy answers: 5 to 7 of version 2, 1 and 2 of version 1",
                f"count(*) FILTER ({EASY})",
                CES_COUNT,
                mixed=_mixed("ces"),
                used_by="Simplesat",
            ),
            Method(
                "net_easy",
                "share of easy less share of difficult answers (1 to 3 of version 2, 4 and 5 of "
                "version 1)",
                f"count(*) FILTER ({EASY}) - count(*) FILTER ({HARD})",
                CES_COUNT,
                CES_COUNT,
                mixed=_mixed("ces"),
            ),
            _mean(
                "mean_answer", "mean answer as it was given, in the direction of its scale", "ces"
            ),
            share_method(
                "share_agree",
                "share of 4 and 5 on a scale of agreement from 1 to 5 (high is ease)",
                f"count(*) FILTER ({EFFORT} AND score >= 4)",
                f"count(*) FILTER ({EFFORT})",
                used_by="Delighted",
            ),
        ),
        "share",
        1,
        "nobody answered on a scale of this method in the period",
        NEEDS,
    ),
    MetricDeclaration(
        "csi",
        "Customer satisfaction index on its declared scale, as it came; no formula is standard.",
        "answers",
        (_mean("mean", "mean answer, on the one scale that was used", "csi"),),
        "score",
        1,
        "nobody answered in the period",
        NEEDS,
    ),
    MetricDeclaration(
        "response_rate",
        "Share of the surveys sent in the period that were answered by the end of observation.",
        "sent",
        (
            share_method(
                "sent", "of surveys of every kind", "count(*) FILTER (answered)", "count(*)"
            ),
        ),
        "share",
        1,
        "no survey was sent in the period",
        ("survey_responses.sent_at", "survey_responses.responded_at"),
    ),
    MetricDeclaration(
        "non_response_rate",
        "Share of the surveys sent in the period that were not answered.",
        "sent",
        (
            share_method(
                "sent", "of surveys of every kind", "count(*) FILTER (NOT answered)", "count(*)"
            ),
        ),
        "share",
        -1,
        "no survey was sent in the period",
        ("survey_responses.sent_at", "survey_responses.responded_at"),
    ),
)
"""Surveys."""
