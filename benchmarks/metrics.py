"""The MRR waterfall beside the package saas-metrics, and all metrics of a large book.

    python benchmarks/metrics.py                         # churnsim, saas_growth, the demo world
    python benchmarks/metrics.py --python /usr/bin/python3.12 --work DIR
    python benchmarks/metrics.py --accounts 0            # without the large book

Both sides begin with the same file of subscriptions: Tenure loads and checks it, with the accounts;
for the peer a tape of what each account pays at the end of each month is made from it by one query.
Every line of every month has to be equal to the cent where the rules are the same; where
they are not, the difference is named by its rule and counted.  The peer runs in an environment of
its own, made by uv in the working folder.  Public data are taken from TENURE_TESTDATA, and are left
out where they are not there.  Writes ``benchmarks/results/metrics.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from record import Claim, record
from scale import write_book

from tenure.core.config import Config, load_config, make_config
from tenure.demo import write_world
from tenure.run.prepare import loaded
from tenure.success.definitions import METRICS
from tenure.success.interpret import MetricsRequest, metrics

HERE = Path(__file__).parent
PEER = HERE / "peers" / "metrics_saas.py"
PINS = HERE / "peers" / "requirements-saas-metrics.txt"
REPEATS = 3
THREADS = 2
LIMIT_SECONDS = 10
LINES = tuple(name for name in METRICS if name.startswith("movement_") and "voluntary" not in name)
PEER_LINES = (
    *("beginning", "new_logo", "reactivation", "expansion", "contraction", "churn", "ending"),
)
CENT = Decimal("0.005")


@dataclass(frozen=True)
class World:
    """The waterfalls of one set of tables.

    Attributes:
        name: Its name.
        lines: Lines of months that were compared.
        unequal: Those that differ by a cent or more.
        rules: Rule by which the two differ → MRR that it moves from one line to another.
        ours: Processor seconds of Tenure, from its file on, and from its checked tables on.
        theirs: Those of the peer, from the file on, and from its tape on.
    """

    name: str
    lines: int
    unequal: list[str]
    rules: dict[str, Decimal]
    ours: tuple[float, float]
    theirs: tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="3.12", help="interpreter of the peer")
    parser.add_argument("--accounts", type=int, default=20_000, help="size of the large book")
    parser.add_argument("--work", type=Path, help="folder to keep worlds and the environment in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = (options.work or Path(scratch)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        os.chdir(work)  # where runs are written
        python = environment(work, options.python)
        claims = []
        for name, config in configs(work).items():
            claims += claims_of(compared(name, config, work / name, python))
        if options.accounts:
            claims += large(work, options.accounts)
    raise SystemExit(0 if record("metrics", claims) else 1)


def environment(work: Path, python: str) -> Path:
    """Return the interpreter of an environment with the peer."""
    place = work / "env-saas-metrics"
    stamp = place / PINS.name
    if not stamp.exists() or stamp.read_text() != PINS.read_text():
        uv = shutil.which("uv") or str(HERE.parent / ".uv" / "bin" / "uv")
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([uv, "venv", "-q", "--python", python, str(place)], check=True)
        install = [uv, "pip", "install", "-q", "-p", str(place / "bin" / "python"), "-r", str(PINS)]
        subprocess.run(install, check=True)
        shutil.copy(PINS, stamp)
    return place / "bin" / "python"


def configs(work: Path) -> dict[str, Config]:
    """Return the worlds that are at hand, without the tables that no waterfall needs."""
    demo = work / "demo-world"
    if not demo.exists():
        write_world(demo, accounts=2_000, months=36, seed=7)
    chosen = {"demo world": make_config({"data": {"path": str(demo)}}, base=demo)}
    default = (HERE.parent / ".." / "shared" / "data").resolve()
    os.environ.setdefault("TENURE_TESTDATA", str(default))
    for name, folder in (("churnsim", "churnsim_crm6"), ("saas_growth", "saas_growth")):
        if (Path(os.environ["TENURE_TESTDATA"]) / folder).is_dir():
            chosen[name] = load_config(HERE.parent / "configs" / f"{name}.yaml")
        else:
            print(f"{name} is left out: no data in {os.environ['TENURE_TESTDATA']}")
    return {name: lean(config, work / f"lean-{name}") for name, config in chosen.items()}


def lean(config: Config, folder: Path) -> Config:
    """Write accounts and subscriptions alone, under the contract's names; return their config."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = "account_id, subscription_id, started_at, ended_at, mrr, currency, status, end_reason"
    with loaded(config, thorough=False) as dataset:
        for name, text in (("accounts", "account_id, created_at"), ("subscriptions", columns)):
            sql = f"SELECT {text} FROM {name} ORDER BY ALL"
            dataset.engine.write(sql, str(folder / f"{name}.csv"))
        until = f"{dataset.observed_until:%Y-%m-%d}"
    data = {"path": str(folder), "observed_until": until, "cache": False}
    return make_config({"data": data, "engine": {"threads": THREADS}}, base=folder)


def compared(name: str, config: Config, work: Path, python: Path) -> World:
    """Return both waterfalls of a world, line by line."""
    work.mkdir(parents=True, exist_ok=True)
    with loaded(config, thorough=False) as dataset:
        paid = "FROM subscriptions WHERE paid"
        first = dataset.engine.fetch(f"SELECT min(started_at) AS t {paid}").column("t")[0].as_py()
        request = MetricsRequest(
            first.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
            dataset.observed_until.replace(day=1),
            by=("month",),
            only=("mrr", "mrr_start", *LINES),
        )
    whole, computed = [], []
    for _ in range(REPEATS):
        started = time.process_time()
        with loaded(config, thorough=False) as dataset:
            read = time.process_time()
            rows = metrics(config, dataset, request).metrics
        whole.append(time.process_time() - started)
        computed.append(time.process_time() - read)
    ours: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for row in rows:
        amount = Decimal(repr(row.value or 0.0))
        ours[row.currency or "", row.period_to][row.name.removeprefix("movement_")] = amount
    theirs, theirs_taken = waterfalls(config, request, work, python)
    unequal, rules, lines = [], defaultdict[str, Decimal](Decimal), 0
    for place, own in ours.items():
        for line, (left, right) in paired(own, theirs.get(place, {})).items():
            lines += 1
            if abs(left - right) >= CENT:
                unequal.append(f"{name} {' '.join(place)} {line}: {left} and {right}")
        for rule, amount in differences(own, theirs.get(place, {})).items():
            rules[rule] += abs(amount)
    for line in unequal:
        print("unequal:", line)
    ours_taken = (min(whole), min(computed))
    return World(name, lines, unequal, dict(rules), ours_taken, theirs_taken)


def waterfalls(
    config: Config, request: MetricsRequest, work: Path, python: Path
) -> tuple[dict[tuple[str, str], dict[str, Decimal]], tuple[float, float]]:
    """Return the peer's lines by currency and end of month, and its processor seconds."""
    out, path = work / "waterfall.json", Path(str(config.data.path)) / "subscriptions.csv"
    span = [f"{moment:%Y-%m-%d}" for moment in (request.start, request.end) if moment]
    command = [str(python), str(PEER), str(path), str(out), *span, str(REPEATS)]
    threads = {f"{name}_NUM_THREADS": str(THREADS) for name in ("OMP", "OPENBLAS")}
    subprocess.run(command, check=True, env={**os.environ, **threads, "PYTHONPATH": ""})
    answer = json.loads(out.read_text(encoding="utf-8"))
    lines = {}
    for currency, rows in answer["rows"].items():
        for row in rows:
            next_day = date.fromisoformat(row["period_end"][:10]) + timedelta(days=1)
            amounts = {name: Decimal(row[name]) for name in PEER_LINES}
            lines[currency, next_day.isoformat()] = amounts
    return lines, (answer["whole"], answer["computed"])


def paired(own: dict[str, Decimal], peer: dict[str, Decimal]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the lines that have to be equal: ours, brought to the peer's rules, and the peer's."""
    other = defaultdict(Decimal, peer)
    return {
        "start": (own["mrr_start"], other["beginning"]),
        "end": (own["mrr"], other["ending"]),
        "new and back": (
            own["new"] + own["reactivation"] + own["resume"],
            other["new_logo"] + other["reactivation"],
        ),
        "expansion": (own["expansion"] + own["contracted_expansion"], other["expansion"]),
        "contraction": (-own["contraction"], other["contraction"]),
        "churn": (-own["churn"] - own["pause"], other["churn"]),
        "fx and mergers": (own["fx"] + own["merger"], Decimal()),
    }


def differences(own: dict[str, Decimal], peer: dict[str, Decimal]) -> dict[str, Decimal]:
    """Return what the rules move from one line to another: rule → MRR."""
    new = Decimal(peer.get("new_logo", 0))
    return {
        "a pause is churn there and its own movement here": own["pause"],
        "the end of a pause is a reactivation there and its own movement here": own["resume"],
        "an increase that was agreed before is expansion there": own["contracted_expansion"],
        "who first paid inside a month and left before its end is new there when it is back": (
            new - own["new"]
        ),
    }


def claims_of(world: World) -> list[Claim]:
    """Return the figures of a world."""
    name = world.name
    return [
        Claim(f"{name}: lines of months compared with saas-metrics 0.2.1", world.lines, "lines"),
        Claim(f"{name}: lines that differ by a cent", len(world.unequal), "lines", 0),
        *(
            Claim(f"{name}: {rule}", float(amount), "MRR")
            for rule, amount in world.rules.items()
            if abs(amount) >= CENT
        ),
        *_times(name, "the waterfall, from checked tables and from a tape", world, 1, 1),
        *_times(name, "the same with reading and checking the file", world, 0, None),
    ]


def _times(name: str, what: str, world: World, part: int, limit: float | None) -> list[Claim]:
    ours, theirs = world.ours[part], world.theirs[part]
    return [
        Claim(f"{name}: {what}: processor time of Tenure", ours, "s"),
        Claim(f"{name}: {what}: that of saas-metrics", theirs, "s"),
        Claim(f"{name}: {what}: Tenure's over that of saas-metrics", ours / theirs, "×", limit),
    ]


def large(work: Path, accounts: int) -> list[Claim]:
    """Return how long all metrics of a large book take, in one period and by month."""
    home = work / f"book_{accounts}"
    write_book(home / "data", accounts)
    settings = {
        "data": {"path": str(home / "data")},
        "metrics": {"notice_period_days": 60},
        "engine": {"threads": THREADS},
        "model": {"threads": THREADS},
        "paths": {"runs": str(home / "runs")},
    }
    config = make_config(settings, base=home)
    claims = []
    with loaded(config, thorough=False) as dataset:
        end = dataset.observed_until.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        start = end.replace(year=end.year - 3)
        for what, by in (("one period", ()), ("every month", ("month",))):
            started, clock = time.process_time(), time.monotonic()
            rows = metrics(config, dataset, MetricsRequest(start, end, by)).metrics
            taken = (time.process_time() - started) / THREADS
            wall = time.monotonic() - clock
            text = f"{accounts:,} accounts × 36 months, all {len(METRICS)} metrics, {what}"
            claims.append(
                Claim(f"{text}: processor time over {THREADS} cores", taken, "s", LIMIT_SECONDS)
            )
            claims.append(Claim(f"{text}: wall time, {len(rows):,} rows", wall, "s"))
    return claims


if __name__ == "__main__":
    main()
