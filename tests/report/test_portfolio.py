"""What people read of what moves the scores of a book."""

from __future__ import annotations

from datetime import datetime

from report.record import HOSTILE, record
from report.test_html import Page
from tenure.core.records.explain import Portfolio
from tenure.report.html import render
from tenure.report.portfolio import portfolio_view

EFFECT = [
    {"value": 5.0 * place, "mean": 0.1 * place - 0.2, "lo": -0.4, "hi": 0.5, "n": 40}
    for place in range(5)
]


SHARES = [
    {"value": value, "mean": mean, "lo": mean - 1, "hi": mean + 1, "n": 9}
    for value, mean in ((0.2, 0.3), (0.81, -0.3))
]


def signal(code: str, share: float, **parts: object) -> dict[str, object]:
    words = {"label": code.capitalize(), "lever": True, "mean_abs": share, "share": share}
    return {"code": code, **words, "mean": 0.1, "raises": 0.4, **parts}


RECORD = Portfolio.from_json(
    {
        "target": "churn",
        "accounts": 40,
        "signals": [
            signal("tickets", 0.5, association=0.8, feature="Tickets open now", effect=EFFECT),
            signal("seats", 0.0, feature="Share of seats", unit="share", effect=SHARES),
            signal("term", 0.3, association=-0.1, feature="Days to renewal", lever=False),
            signal("use", 0.2, mean=-0.1),
        ],
        "groups": [
            {"by": "owner", "name": HOSTILE, "accounts": 9, "signals": [signal("use", 1.0)]},
        ],
        "cohorts": [
            {
                "code": "tickets",
                "label": "Tickets",
                "ask": "Ask what is open.",
                "accounts": [f"acc-{place}" for place in range(11)],
                "mrr": {"EUR": 1200.0, "USD": 80.0},
                "at_risk": {"EUR": 300.4, "USD": 20.0},
            }
        ],
    }
)


def test_the_model_report_says_what_moves_the_scored_book() -> None:
    view = portfolio_view(RECORD, datetime(2025, 7, 1), "v1")
    page = Page(render(record(), portfolios=[view]))
    for words in (
        "What moves the scores of the book: churn",
        "40 accounts scored on 1 Jul 2025 by model v1",
        "Tickets Ask what is open. 11 1,200 EUR, 80 USD 300 EUR, 20 USD",
        "and 3 more",
        "the more, the higher",
        "neither way alone",
        "40% of accounts lowers",
        "Owner <script>",
        "Tickets: lowest at 0, highest at 20",
        "Seats: lowest at 81%, highest at 20%",
    ):
        assert words in page.text, words
    assert {"href": "#portfolio"} in page.all("a")
    assert "script" not in {tag for tag, _ in page.tags}
    shape = next(attrs for attrs in page.all("figure") if "lowest at 0" in str(attrs["aria-label"]))
    assert "probability of churn" in str(shape["aria-label"])


def test_without_a_scored_book_the_report_has_no_such_section() -> None:
    assert "scores of the book" not in Page(render(record())).text
