"""The numbers of the demo world: who its accounts are and what moves them.

Rates are per day unless a name says otherwise; effects are added to the logarithm of a rate.
"""

from __future__ import annotations

from dataclasses import dataclass

PLANS = ("Basic", "Team", "Business")
PLAN_PRICES = (29.0, 49.0, 79.0)
SEGMENTS = ("small", "mid", "large")
INDUSTRIES = ("software", "retail", "finance", "health", "education", "manufacturing")
COUNTRIES = ("US", "DE", "GB", "FR", "NL", "CA")
CURRENCIES = ("USD", "EUR", "GBP", "EUR", "EUR", "USD")
REGIONS = ("north", "south", "east", "west")
OWNERS = tuple(f"csm-{number:02d}" for number in range(1, 13))
PRIORITIES = ("low", "normal", "high", "urgent")
CATEGORIES = ("billing", "how_to", "bug", "access", "request")
TOUCHPOINTS = ("call", "email", "meeting", "business_review")
KEY_EVENT = "report_created"
EVENTS = (
    "login",
    KEY_EVENT,
    "report_viewed",
    "dashboard_shared",
    "export_run",
    "alert_set",
    "comment_added",
    "integration_synced",
)
NOISE_EVENT = "tip_shown"
NEVER = 10**6  # a day that is not reached


@dataclass(frozen=True, slots=True)
class Season:
    """What the calendar does to every account."""

    weekend_usage: float = 0.15  # usage on a Saturday or Sunday relative to a weekday
    # Usage by month of the year, January first.
    usage_by_month: tuple[float, ...] = (
        1,
        1,
        1.04,
        1.02,
        1,
        0.98,
        0.92,
        0.9,
        1.02,
        1.04,
        1.02,
        0.9,
    )
    usage_drift_per_year: float = 0.04  # growth of log usage
    churn_drift_per_year: float = 0.05  # growth of the log churn rate
    expansion_drift_per_year: float = -0.05  # growth of the log expansion rate


@dataclass(frozen=True, slots=True)
class Book:
    """Who the accounts are and when they come."""

    running_at_start: float = 0.38  # share of accounts that already pay on the first day
    annual: float = 0.36  # share on annual terms
    trial: float = 0.3  # share of new accounts that begin with a trial
    trial_days: int = 14  # length of a trial
    trial_lost: float = 0.25  # share of trials that never pay
    segments: tuple[float, ...] = (0.55, 0.33, 0.12)  # shares of small, mid and large accounts
    seats_from: tuple[int, ...] = (3, 8, 18)  # fewest seats by segment
    seats_more: tuple[float, ...] = (3.0, 6.0, 12.0)  # mean of the seats above that


@dataclass(frozen=True, slots=True)
class Activity:
    """How an account uses the product and asks for help."""

    # Events a day for one user; grows with users to the power `crowding`.
    events_per_user: float = 0.42
    crowding: float = 0.7  # see above
    pace_return: float = 0.05  # weekly pull of the log pace back to 0
    pace_noise: float = 0.05  # weekly standard deviation of the log pace
    shift: float = 0.05  # weekly chance of a lasting shift of the pace, unannounced and unobserved
    shift_size: float = 0.55  # standard deviation of that shift
    join: float = 0.018  # weekly chance that a free seat is taken
    leave: float = 0.007  # weekly chance that a user stops
    reorganise: float = 0.012  # weekly chance that about half of the users stop at once
    roll_out: float = 0.012  # weekly chance that most free seats are taken at once
    adopt: float = 0.007  # weekly chance to adopt a further kind of event, per kind not in use
    abandon: float = 0.007  # weekly chance to abandon one, per kind in use
    ticket: tuple[float, float] = (0.012, 0.0012)  # tickets a day, and more per user
    resolve_fresh: float = 0.42  # daily chance that a ticket up to 2 days old is resolved
    resolve_stale: float = 0.07  # the same for an older one
    late_after: int = 5  # days after which an open ticket is late
    survey_every: int = 91  # days between NPS waves
    answer: float = 0.55  # chance that an account answers a wave


@dataclass(frozen=True, slots=True)
class Contracts:
    """Terms, payment, notice and return."""

    notice_days: int = 60  # how long before the end of an annual term notice can be given
    due_days: int = 10  # days from invoice to due date
    give_up_days: int = 27  # days from invoice to the end for non-payment
    # Daily chance to pay before the due date, by late invoices in half a year.
    pay_by_habit: tuple[float, ...] = (0.24, 0.12, 0.09)
    pay_overdue: float = 0.14  # the same after the due date
    habit_days: int = 182  # how long a late invoice is remembered
    pause: float = 0.003  # chance of a pause per monthly term
    pause_days: tuple[int, int] = (10, 26)  # shortest and longest pause
    returns: float = 0.12  # share of those who leave that come back
    returns_soon: float = 0.4  # share of them that do so within the winback gap
    soon_days: tuple[int, int] = (4, 26)  # shortest and longest such interruption
    later_days: tuple[int, int] = (40, 220)  # shortest and longest of the others
    uplift: float = 0.05  # largest yearly rise of the list price
    # Chance of fewer seats or no add-on at the end of an annual term, if unused.
    downgrade: float = 0.12


@dataclass(frozen=True, slots=True)
class Churn:
    """Effects on the rate of voluntary churn."""

    rate: float = 0.000112  # monthly-term accounts with nothing special, per day
    notice: float = 2.4  # the rate inside the notice period of an annual term, relative to `rate`
    lapse: float = 46.0  # weight of the last day of an annual term, in days
    budget_cut: float = 0.00007  # rate of leaving for reasons that nothing observed announces
    falling_use: float = 1.5  # per unit of the fall of usage (`hazards.trend`)
    idle_seats: float = 3.8  # per unit of the share of seats not in use, above the usual
    late_tickets: float = 0.9  # per late ticket, two to fourteen weeks after it became late
    open_late: float = 0.8  # per ticket that is open and late now
    exposed: float = 1.6  # multiplier of both near a renewal and for new accounts
    detractor: float = 1.2  # last NPS answer 0–6
    promoter: float = -0.6  # last NPS answer 9–10
    late_invoices: float = 0.55  # per late invoice in half a year, at most two


@dataclass(frozen=True, slots=True)
class Expansion:
    """Effects on the rate of expansion."""

    rate: float = 0.00015  # an account with nothing special, per day
    windfall: float = 4e-05  # rate of expansion that nothing observed announces
    full_seats: float = 7.5  # per unit of the share of seats in use, above the usual
    rising_use: float = 1.9  # per unit of the rise of usage (`hazards.trend`)
    broad_use: float = 0.6  # per kind of event in use, above the usual
    detractor: float = -1.1  # last NPS answer 0–6
    promoter: float = 1.1  # last NPS answer 9–10
    young: float = 1.5  # first year of the spell
    upgrade: float = 0.15  # share that moves to the next plan
    add_on: float = 0.12  # share that buys the add-on
    # Smallest and largest relative growth of the seats of the rest.
    more_seats: tuple[float, float] = (0.08, 0.45)


SEASON = Season()
BOOK = Book()
ACTIVITY = Activity()
CONTRACTS = Contracts()
CHURN = Churn()
EXPANSION = Expansion()
