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
    """What the calendar does to every account.

    Attributes:
        weekend_usage: Usage on a Saturday or Sunday relative to a weekday.
        usage_by_month: Usage by month of the year, January first.
        usage_drift_per_year: Growth of log usage.
        churn_drift_per_year: Growth of the log churn rate.
        expansion_drift_per_year: Growth of the log expansion rate.
    """

    weekend_usage: float = 0.15
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
    usage_drift_per_year: float = 0.04
    churn_drift_per_year: float = 0.05
    expansion_drift_per_year: float = -0.05


@dataclass(frozen=True, slots=True)
class Book:
    """Who the accounts are and when they come.

    Attributes:
        running_at_start: Share of accounts that already pay on the first day.
        annual: Share on annual terms.
        trial: Share of new accounts that begin with a trial.
        trial_days: Length of a trial.
        trial_lost: Share of trials that never pay.
        segments: Shares of small, mid and large accounts.
        seats_from: Fewest seats by segment.
        seats_more: Mean of the seats above that.
    """

    running_at_start: float = 0.38
    annual: float = 0.36
    trial: float = 0.3
    trial_days: int = 14
    trial_lost: float = 0.25
    segments: tuple[float, ...] = (0.55, 0.33, 0.12)
    seats_from: tuple[int, ...] = (3, 8, 18)
    seats_more: tuple[float, ...] = (3.0, 6.0, 12.0)


@dataclass(frozen=True, slots=True)
class Activity:
    """How an account uses the product and asks for help.

    Attributes:
        events_per_user: Events a day for one user; grows with users to the power `crowding`.
        crowding: See above.
        pace_return: Weekly pull of the log pace back to 0.
        pace_noise: Weekly standard deviation of the log pace.
        shift: Weekly chance of a lasting shift of the pace, unannounced and unobserved.
        shift_size: Standard deviation of that shift.
        join: Weekly chance that a free seat is taken.
        leave: Weekly chance that a user stops.
        reorganise: Weekly chance that about half of the users stop at once.
        roll_out: Weekly chance that most free seats are taken at once.
        adopt: Weekly chance to adopt a further kind of event, per kind not in use.
        abandon: Weekly chance to abandon one, per kind in use.
        ticket: Tickets a day, and more per user.
        resolve_fresh: Daily chance that a ticket up to 2 days old is resolved.
        resolve_stale: The same for an older one.
        late_after: Days after which an open ticket is late.
        survey_every: Days between NPS waves.
        answer: Chance that an account answers a wave.
    """

    events_per_user: float = 0.42
    crowding: float = 0.7
    pace_return: float = 0.05
    pace_noise: float = 0.05
    shift: float = 0.05
    shift_size: float = 0.55
    join: float = 0.018
    leave: float = 0.007
    reorganise: float = 0.012
    roll_out: float = 0.012
    adopt: float = 0.007
    abandon: float = 0.007
    ticket: tuple[float, float] = (0.012, 0.0012)
    resolve_fresh: float = 0.42
    resolve_stale: float = 0.07
    late_after: int = 5
    survey_every: int = 91
    answer: float = 0.55


@dataclass(frozen=True, slots=True)
class Contracts:
    """Terms, payment, notice and return.

    Attributes:
        notice_days: How long before the end of an annual term notice can be given.
        due_days: Days from invoice to due date.
        give_up_days: Days from invoice to the end for non-payment.
        pay_by_habit: Daily chance to pay before the due date, by late invoices in half a year.
        pay_overdue: The same after the due date.
        habit_days: How long a late invoice is remembered.
        pause: Chance of a pause per monthly term.
        pause_days: Shortest and longest pause.
        returns: Share of those who leave that come back.
        returns_soon: Share of them that do so within the winback gap.
        soon_days: Shortest and longest such interruption.
        later_days: Shortest and longest of the others.
        uplift: Largest yearly rise of the list price.
        downgrade: Chance of fewer seats or no add-on at the end of an annual term, if unused.
    """

    notice_days: int = 60
    due_days: int = 10
    give_up_days: int = 27
    pay_by_habit: tuple[float, ...] = (0.24, 0.12, 0.09)
    pay_overdue: float = 0.14
    habit_days: int = 182
    pause: float = 0.003
    pause_days: tuple[int, int] = (10, 26)
    returns: float = 0.12
    returns_soon: float = 0.4
    soon_days: tuple[int, int] = (4, 26)
    later_days: tuple[int, int] = (40, 220)
    uplift: float = 0.05
    downgrade: float = 0.12


@dataclass(frozen=True, slots=True)
class Churn:
    """Effects on the rate of voluntary churn.

    Attributes:
        rate: Monthly-term accounts with nothing special, per day.
        notice: The rate inside the notice period of an annual term, relative to `rate`.
        lapse: Weight of the last day of an annual term, in days.
        budget_cut: Rate of leaving for reasons that nothing observed announces.
        falling_use: Per unit of the fall of usage (`hazards.trend`).
        idle_seats: Per unit of the share of seats not in use, above the usual.
        late_tickets: Per late ticket, two to fourteen weeks after it became late.
        open_late: Per ticket that is open and late now.
        exposed: Multiplier of both near a renewal and for new accounts.
        detractor: Last NPS answer 0–6.
        promoter: Last NPS answer 9–10.
        late_invoices: Per late invoice in half a year, at most two.
    """

    rate: float = 0.000112
    notice: float = 2.4
    lapse: float = 46.0
    budget_cut: float = 0.00007
    falling_use: float = 1.5
    idle_seats: float = 3.8
    late_tickets: float = 0.9
    open_late: float = 0.8
    exposed: float = 1.6
    detractor: float = 1.2
    promoter: float = -0.6
    late_invoices: float = 0.55


@dataclass(frozen=True, slots=True)
class Expansion:
    """Effects on the rate of expansion.

    Attributes:
        rate: An account with nothing special, per day.
        windfall: Rate of expansion that nothing observed announces.
        full_seats: Per unit of the share of seats in use, above the usual.
        rising_use: Per unit of the rise of usage (`hazards.trend`).
        broad_use: Per kind of event in use, above the usual.
        detractor: Last NPS answer 0–6.
        promoter: Last NPS answer 9–10.
        young: First year of the spell.
        upgrade: Share that moves to the next plan.
        add_on: Share that buys the add-on.
        more_seats: Smallest and largest relative growth of the seats of the rest.
    """

    rate: float = 0.00015
    windfall: float = 4e-05
    full_seats: float = 7.5
    rising_use: float = 1.9
    broad_use: float = 0.6
    detractor: float = -1.1
    promoter: float = 1.1
    young: float = 1.5
    upgrade: float = 0.15
    add_on: float = 0.12
    more_seats: tuple[float, float] = (0.08, 0.45)


SEASON = Season()
BOOK = Book()
ACTIVITY = Activity()
CONTRACTS = Contracts()
CHURN = Churn()
EXPANSION = Expansion()
