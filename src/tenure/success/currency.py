"""Which currency money is counted in."""

from __future__ import annotations

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.times import literal
from tenure.sources.dataset import Dataset


def home_currency(dataset: Dataset, wish: str | None) -> str | None:
    """Return what `fx_rates` convert to; None where money stays in its own currencies.

    It is the one of the config, else the currency whose rates are all 1, else the only one of the
    subscriptions without a rate, else the one with most subscription rows.  Without rates, or
    where a currency has none, nothing is converted.

    Raises:
        ConfigError: If the config names a currency that no subscription and no rate has.
    """
    if not dataset.has("fx_rates"):
        return None
    until = literal(dataset.observed_until)
    engine = dataset.engine
    rates = engine.fetch(
        "SELECT currency, min(rate) = 1 AND max(rate) = 1 AS one FROM fx_rates "
        f"WHERE known_at < {until} GROUP BY 1 ORDER BY 1"
    ).to_pylist()
    quoted = {row["currency"] for row in rates}
    used = engine.fetch(
        "SELECT coalesce(currency, '') AS currency FROM subscriptions GROUP BY 1 "
        "ORDER BY count(*) DESC, 1"
    ).column("currency").to_pylist()  # fmt: skip
    unquoted = [name for name in used if name not in quoted]
    units = [row["currency"] for row in rates if row["one"]]
    if wish is not None and wish not in quoted | set(used):
        fix = suggestion(wish, quoted | set(used))
        raise ConfigError(Problem("metrics.currency", "no money is in it", wish, fix))
    candidates = [*([wish] if wish else []), *units, *unquoted[:1], *used]
    home = candidates[0]
    return home if not set(unquoted) - {home} else None
