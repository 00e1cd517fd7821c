"""Tools by which an agent reads what was scored: read-only, over the Model Context Protocol."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from tenure import __version__
from tenure.core.config import Config
from tenure.core.errors import TenureError, suggestion
from tenure.core.flat_row import BANDS, MAIN
from tenure.core.times import show
from tenure.model.registry.champion import champion, history
from tenure.score.store.book import SORTS, Books
from tenure.score.store.book_records import BookFilter, BookQuery, added, nearest
from tenure.score.store.store import ScoreStore, StoredRun, StoredScore

FEWEST = 5
"""Accounts below which a group is not shown: its figures would be those of a single one."""
MOST = 100
"""Accounts that one answer holds at most."""
ABOUT = """\
Calibrated probabilities of churn and expansion per account, as of the latest scored run, with the
drivers behind them.  Probabilities may be averaged and summed; high churn is bad.  Drivers are
associated with the outcome in the model: they are no causes.  Money is MRR in the currency named.
Nothing can be changed here."""
READ_ONLY = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


def serve_agents(config: Config) -> None:
    """Serve the tools on stdin and stdout until the client closes them."""
    agent_server(config).run("stdio")


def agent_server(config: Config) -> MCPServer[Any]:
    """Return a server of the tools over the kept scores of a project."""
    server: MCPServer[Any] = MCPServer(
        "tenure", instructions=ABOUT, version=__version__, log_level="WARNING"
    )
    tools = _Tools(config)
    for tool in (
        tools.list_accounts,
        tools.get_account,
        tools.account_history,
        tools.who_moved,
        tools.book_totals,
        tools.risk_by_group,
        tools.models,
        tools.metrics,
    ):
        server.add_tool(_answering(tool), annotations=READ_ONLY, structured_output=False)
    return server


def _answering(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return a tool whose errors for people reach the agent as they are."""
    from functools import wraps

    @wraps(tool)
    def answer(*values: Any, **options: Any) -> dict[str, Any]:
        try:
            return tool(*values, **options)
        except TenureError as error:
            raise ToolError(str(error)) from None

    return answer


@dataclass(frozen=True)
class _Tools:
    """The tools; the docstring of each is what an agent reads."""

    config: Config

    @contextmanager
    def _book(self) -> Iterator[tuple[Books, StoredRun]]:
        """Yield the book of the latest run, and the run."""
        with ScoreStore.open(self.config) as store:
            run = store.run_up_to()
            yield Books(store, str(self.config.labels.horizon_days)), run

    def list_accounts(
        self,
        owner: str = "",
        segment: str = "",
        band: str = "",
        search: str = "",
        sort: str = "amount_at_risk",
        limit: int = 20,
    ) -> dict[str, Any]:
        """List accounts of the latest run with their probability of churn, highest first.

        `band` is high, medium or low; `search` is a part of a name or an id; `sort` is e.g.
        probability, amount_at_risk, change, renews_at or expected_amount.
        """
        if sort not in SORTS:
            raise ToolError(f"`{sort}` is nothing to sort by: {suggestion(sort, SORTS)}")
        where = BookFilter(owner=owner, segment=segment, band=band, search=search)
        with self._book() as (books, run):
            choices = books.choices(run)
            _check("owner", owner, choices.owners)
            _check("segment", segment, choices.segments)
            _check("band", band, BANDS)
            since = books.store.before(run.as_of)
            size = max(1, min(limit, MOST))
            query = BookQuery(where, sort, sort != "renews_at", since, limit=size)
            rows = [_plain(asdict(row)) for row in books.rows(run, query)]
            return self._of(run) | {"matching": books.count(run, where), "accounts": rows}

    def get_account(self, account_id: str) -> dict[str, Any]:
        """Return the latest scores of one account: all targets and horizons, with their drivers."""
        with self._book() as (books, run):
            latest = books.store.scores(run, [account_id])
            if not latest:
                raise ToolError(f"`{account_id}` has no score as of {show(run.as_of)}.")
            rows = books.rows(run, BookQuery(BookFilter(accounts=(account_id,))))
            known = _plain(asdict(rows[0])) if rows else {}
            named = {name: known.get(name) for name in ("name", "owner", "segment", "plan")}
            return self._of(run) | named | {"scores": [_score(score) for score in latest]}

    def account_history(self, account_id: str, target: str = MAIN) -> dict[str, Any]:
        """Return the probabilities that one account had in every kept run, oldest first."""
        with self._book() as (books, run):
            scores = books.store.history(account_id, target, drivers=False)
        if not scores:
            raise ToolError(f"`{account_id}` has no kept score of `{target}`.")
        names = ("as_of", "horizon", "probability", "lo", "hi", "band", "model_version")
        rows = [_plain({name: getattr(score, name) for name in names}) for score in scores]
        return self._of(run) | {"account_id": account_id, "target": target, "history": rows}

    def who_moved(self, limit: int = 20) -> dict[str, Any]:
        """List the accounts whose probability of churn changed most in about a month."""
        with self._book() as (books, run):
            since = nearest(books.store.runs(), run)
            if since is None:
                raise ToolError("Only one run is kept: nothing can have moved.")
            query = BookQuery(sort="move", since=since, limit=max(1, min(limit, MOST)))
            rows = [_plain(asdict(row)) for row in books.rows(run, query)]
        return self._of(run) | {"since": show(since.as_of), "accounts": rows}

    def book_totals(self, owner: str = "", segment: str = "") -> dict[str, Any]:
        """Return accounts, MRR, MRR at risk and renewals within 90 days, per currency."""
        with self._book() as (books, run):
            totals = books.totals(run, BookFilter(owner=owner, segment=segment))
            _enough(added(totals).accounts)
            rows = [_plain(asdict(item)) for item in totals if item.accounts >= FEWEST]
            return self._of(run) | {"totals": rows}

    def risk_by_group(self, by: str = "segment") -> dict[str, Any]:
        """Return the totals of each segment or owner; groups of fewer than five are left out."""
        if by not in {"segment", "owner"}:
            raise ToolError("`by` is segment or owner.")
        with self._book() as (books, run):
            choices = books.choices(run)
            groups = choices.segments if by == "segment" else choices.owners
            rows = [
                {by: name} | _plain(asdict(item))
                for name in groups
                for item in books.totals(run, _group(by, name))
                if item.accounts >= FEWEST
            ]
            return self._of(run) | {"groups": rows, "smallest_group": FEWEST}

    def models(self) -> dict[str, Any]:
        """Return the champion of each target: version, since when, why, and those before it."""
        root = self.config.paths.models
        targets = {}
        for target in self.config.targets:
            standing = champion(root, target)
            lines = [asdict(line) for line in history(root, target)]
            targets[target] = {
                "champion": standing.version if standing else None,
                "history": [
                    {name: line[name] for name in ("version", "at", "action", "reason")}
                    for line in lines
                ],
            }
        return {"project": self.config.name, "targets": targets}

    def metrics(self, only: list[str] | None = None, by: str = "") -> dict[str, Any]:
        """Compute customer-success metrics of the last twelve full months, from the tables.

        `only` names some, e.g. net_revenue_retention or nps; `by` is month, quarter, segment,
        plan, owner, currency or cohort.  Groups of fewer than five are left out.
        """
        from tenure.run.metrics import run_metrics
        from tenure.success.interpret import MetricsRequest

        request = MetricsRequest(by=(by,) if by else (), only=tuple(only or ()))
        record = run_metrics(self.config, request)
        rows = [row.to_json() for row in record.metrics if not row.group or row.n >= FEWEST]
        return {"as_of": record.as_of, "metrics": rows, "smallest_group": FEWEST}

    def _of(self, run: StoredRun) -> dict[str, Any]:
        """Return what every answer about a run says."""
        days = self.config.labels.horizon_days
        return {"as_of": show(run.as_of), "scored_at": show(run.scored_at), "horizon_days": days}


def _group(by: str, name: str) -> BookFilter:
    return BookFilter(segment=name) if by == "segment" else BookFilter(owner=name)


def _check(name: str, value: str, known: Collection[str]) -> None:
    if value and value not in known:
        raise ToolError(f"No account has the {name} `{value}`: {suggestion(value, known)}")


def _enough(accounts: int) -> None:
    if accounts < FEWEST:
        raise ToolError(f"Fewer than {FEWEST} accounts match: their totals are not shown.")


def _score(score: StoredScore) -> dict[str, Any]:
    names = (
        *("target", "horizon", "probability", "lo", "hi", "base_rate", "band", "abstain_reason"),
        *("mrr", "currency", "renews_at", "amount_at_risk", "expected_amount", "model_version"),
    )
    drivers = (
        *("label", "value", "peer_value", "direction", "contribution"),
        *("sentence", "lever", "since"),
    )
    values = _plain({name: getattr(score, name) for name in names})
    rows = [{name: driver.get(name) for name in drivers} for driver in score.drivers]
    return values | {"drivers": rows}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with times as text, and of a driver its words."""
    plain: dict[str, Any] = {
        name: show(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
    if isinstance(plain.get("driver"), dict):
        plain["driver"] = plain["driver"].get("sentence")
    return plain
