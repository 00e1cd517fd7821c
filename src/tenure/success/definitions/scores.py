"""How good the scores were, over those of the period whose outcome is known."""

from __future__ import annotations

from dataclasses import replace

from tenure.core.flat_row import BANDS
from tenure.success.declarations import Direction, Method, MetricDeclaration, share_method

NEEDS = ("scores",)
EMPTY = "no kept score of the period that this is about has a known outcome"
LATER = "no run shows the bands of the scores of the period at the end of their horizon"
GREEN, AT_RISK = "band_rank = 0", "band_rank >= risk_rank"
SEEN = "(paired AND (after_rank IS NOT NULL OR outcome))"
CALLED, ACTUAL = "sum(probability * mrr)", "sum(mrr) FILTER (outcome)"
CALLED_COUNT, ACTUAL_COUNT = "sum(probability)", "count(*) FILTER (outcome)"


def _shares(
    name: str, rule: str, whole: str, part: str, direction: Direction
) -> tuple[MetricDeclaration, MetricDeclaration]:
    """Return a share of scores, and the same share of their MRR."""
    both, count, money = f"{whole} AND {part}", "count(*)", "coalesce(sum(mrr) FILTER ({}), 0)"
    among = f"{count} FILTER ({whole})"
    counted = share_method("scores", "each score counts once", f"{count} FILTER ({both})", among)
    weighed = Method(
        "mrr", "each score counts with its MRR", money.format(both), money.format(whole), among
    )
    first, second = (
        MetricDeclaration(
            f"{name}{suffix}",
            rule,
            "scored",
            (method,),
            "share",
            direction,
            EMPTY,
            NEEDS,
            money=suffix != "",
        )
        for suffix, method in (("", counted), ("_mrr", weighed))
    )
    return first, second


def _bands(name: str, rule: str, whole: str, part: str, direction: Direction) -> MetricDeclaration:
    """Return a share of the scores whose band at the end of their horizon is known."""
    method = share_method(
        "scores",
        "each score counts once",
        f"count(*) FILTER ({SEEN} AND {whole} AND {part})",
        f"count(*) FILTER ({SEEN} AND {whole})",
    )
    return MetricDeclaration(name, rule, "scored", (method,), "share", direction, LATER, NEEDS)


def _degradation() -> MetricDeclaration:
    """Return the share of scores whose band is worse at the end, without churn and with it."""
    whole = "band_rank < worst_rank"
    without = _bands(
        "band_degradation",
        "Share of the scores outside the worst band whose band is a worse one at the end.",
        whole,
        "NOT outcome AND after_rank > band_rank",
        -1,
    )
    worse = f"count(*) FILTER ({SEEN} AND {whole} AND (outcome OR after_rank > band_rank))"
    method = share_method(
        "with_churn",
        "… or that churned",
        worse,
        f"count(*) FILTER ({SEEN} AND {whole})",
    )
    return replace(without, methods=(*without.methods, method))


def _migration() -> tuple[MetricDeclaration, ...]:
    """Return the share of each band that is in each band, or gone, at the end of the horizon."""
    ends = {band: f"NOT outcome AND after_rank = {place}" for place, band in enumerate(BANDS)}
    return tuple(
        _bands(
            f"band_{band}_to_{end}",
            f"Share of the scores in the band {band} "
            + ("that churned." if end == "churned" else f"whose band is {end} at the end."),
            f"band_rank = {place}",
            condition,
            0,
        )
        for place, band in enumerate(BANDS)
        for end, condition in (ends | {"churned": "outcome"}).items()
    )


def _called(name: str, rule: str, numerator: str, direction: Direction) -> MetricDeclaration:
    """Return a comparison of what probabilities called and what churned."""

    def method(label: str, words: str, called: str, actual: str, base: str) -> Method:
        top = numerator.format(called=called, actual=f"coalesce({actual}, 0)", base=base)
        return Method(label, words, top, base)

    return MetricDeclaration(
        name,
        rule,
        "scored",
        (
            method("actual", "over the MRR that churned", CALLED, ACTUAL, ACTUAL),
            method("called", "over the MRR that was called", CALLED, ACTUAL, CALLED),
            method(
                "accounts",
                "of accounts, over those that churned",
                CALLED_COUNT,
                ACTUAL_COUNT,
                ACTUAL_COUNT,
            ),
        ),
        "share",
        direction,
        "nothing of what was scored in the period is known to have churned",
        NEEDS,
        money=True,
    )


SCORES = (
    *_shares(
        "false_green_rate",
        "Share of the scores in the best band that churned within their horizon.",
        GREEN,
        "outcome",
        -1,
    ),
    *_shares(
        "save_rate",
        "Share of the scores at risk (band high) that did not churn within their horizon.",
        AT_RISK,
        "NOT outcome",
        1,
    ),
    *_shares(
        "save_rate_treated",
        "… of those that had a touchpoint between the score and its outcome.",
        f"{AT_RISK} AND treated",
        "NOT outcome",
        1,
    ),
    *_shares(
        "save_rate_untreated",
        "… of those that had none; who is looked after is chosen, so the difference is no effect.",
        f"{AT_RISK} AND NOT treated",
        "NOT outcome",
        1,
    ),
    *_shares(
        "loss_detection_rate",
        "Share of the scores followed by churn that were at risk (band high): flagged before.",
        "outcome",
        AT_RISK,
        1,
    ),
    *_shares(
        "surprise_loss_rate",
        "Share of the scores followed by churn that were not at risk.",
        "outcome",
        "band_rank < risk_rank",
        -1,
    ),
    _called(
        "forecast_accuracy",
        "1 − |called − actual| / actual: churned MRR as the probabilities called it.",
        "({base}) - abs(({called}) - ({actual}))",
        1,
    ),
    _called(
        "forecast_bias",
        "(called − actual) / actual: above 0 where too much churn was called.",
        "({called}) - ({actual})",
        0,
    ),
    MetricDeclaration(
        "band_lift",
        "Share of the scores at risk that churned, over that of the best band.",
        "scored",
        (
            Method(
                "scores",
                "each score counts once",
                f"avg(CAST(outcome AS DOUBLE)) FILTER ({AT_RISK})",
                f"avg(CAST(outcome AS DOUBLE)) FILTER ({GREEN})",
            ),
        ),
        "ratio",
        1,
        "no score at risk, or none in the best band that churned, is known",
        NEEDS,
    ),
    _bands(
        "band_stability",
        "Share of the scores whose band is the same at the end of their horizon.",
        "true",
        "NOT outcome AND after_rank = band_rank",
        0,
    ),
    _bands(
        "band_improvement",
        "Share of the scores outside the best band whose band is a better one at the end.",
        "band_rank > 0",
        "NOT outcome AND after_rank < band_rank",
        1,
    ),
    _degradation(),
    _bands(
        "band_slide",
        "Share of the scores not at risk that are at risk, or gone, at the end.",
        "band_rank < risk_rank",
        "(outcome OR after_rank >= risk_rank)",
        -1,
    ),
    _bands(
        "band_rescue",
        "Share of the scores at risk that are not at risk at the end.",
        AT_RISK,
        "NOT outcome AND after_rank < risk_rank",
        1,
    ),
    *_migration(),
)
"""Of the scores themselves."""
