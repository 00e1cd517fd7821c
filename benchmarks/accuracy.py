"""How accurate Tenure is: its default and its tuned model beside other tools, on the same rows.

    python benchmarks/accuracy.py                                  # everything, AutoGluon 600 s
    python benchmarks/accuracy.py --sets churnsim --sides tenure   # a part; the rest as kept
    python benchmarks/accuracy.py --prepare                        # rows and environments alone

For each data set and target one set of training rows and one of later test rows is written.  Every
side reads the same features of the same rows, in a process of its own and one after another, and
writes probabilities of the test rows.  Rows, environments and what the sides wrote stay in
``--work`` for the next run.  Rows are made again when the code that makes them has changed; a side
runs again when its rows, its budget or (for Tenure) its code are others, and with ``--fresh``.
Writes ``benchmarks/results/accuracy.json`` and ``docs/accuracy.md`` from all that is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peers.accuracy_measures import (
    COMPARED,
    DEFAULT,
    ORACLE,
    draws_of,
    measure,
    summary,
    together,
)
from peers.accuracy_page import LABELS, TOGETHER, write_page
from peers.accuracy_sets import FROZEN_SEEDS, SETS, DataSet
from record import RESULTS, Claim, record

HERE = Path(__file__).parent
PEERS = HERE / "peers"
SOURCE = HERE.parent / "src" / "tenure"
MOST_SECONDS = 60
LEAST_SHARE = 0.91


@dataclass(frozen=True)
class Side:
    """One side.

    Attributes:
        script: Its module and arguments after FOLDER and OUT.
        environment: Whose environment it runs in; Tenure's own by default.
        budget: Which option says how many seconds it is given.
        wanted: Whether it runs when no sides are named.
    """

    script: tuple[str, ...]
    environment: str = ""
    budget: str = ""
    wanted: bool = True


SIDES = {
    "tenure": Side(("accuracy_tenure", "{set}")),
    "tenure_tuned": Side(("accuracy_tenure", "{set}", "{tuning}"), budget="tuning"),
    "boosting": Side(("accuracy_sklearn", "boosting")),
    "boosting_stopped": Side(("accuracy_sklearn", "boosting_stopped")),
    "forest": Side(("accuracy_sklearn", "forest")),
    "logistic": Side(("accuracy_sklearn", "logistic")),
    "catboost": Side(("accuracy_catboost",), "autogluon"),
    "featuretools": Side(("accuracy_featuretools",), "featuretools"),
    "autogluon": Side(("accuracy_autogluon", "{seconds}", "random"), "autogluon", budget="seconds"),
    "autogluon_accounts": Side(
        ("accuracy_autogluon", "{seconds}", "accounts"), "autogluon", budget="seconds", wanted=False
    ),
}


class Bench:
    """One benchmark in one folder.

    Args:
        work: Where rows, environments and probabilities stay.
        budgets: Seconds by option: ``seconds`` for AutoGluon, ``tuning`` for Tenure's search.
        threads: Threads of each side.
        fresh: Whether to do again what is kept.
    """

    def __init__(self, work: Path, budgets: dict[str, float], threads: int, *, fresh: bool) -> None:
        self.work, self.budgets, self.fresh = work, budgets, fresh
        self.environment = os.environ | {
            f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL")
        }
        default = (HERE.parent / ".." / "shared" / "data").resolve()
        self.environment.setdefault("TENURE_TESTDATA", str(default))
        self.threads = threads

    def python(self, name: str) -> str:
        """Return the interpreter of an environment with the pinned packages of a tool."""
        if not name:
            return sys.executable
        place, pins = self.work / f"env-{name}", PEERS / f"requirements-accuracy-{name}.txt"
        python, stamp = place / "bin" / "python", place / pins.name
        if not stamp.exists() or stamp.read_text() != pins.read_text():
            uv = shutil.which("uv") or str(HERE.parent / ".uv" / "bin" / "uv")
            shutil.rmtree(place, ignore_errors=True)
            subprocess.run([uv, "venv", "-q", "--python", "3.11", str(place)], check=True)
            install = [uv, "pip", "install", "-q", "-p", str(python), "-r", str(pins)]
            subprocess.run(install, check=True)
            shutil.copy(pins, stamp)
        return str(python)

    def prepare(self, chosen: DataSet) -> bool:
        """Write the rows of a data set unless they are kept; return whether they are there."""
        folder = self.work / chosen.name
        code = digest("sources", "labels", "features", "run/prepare.py")
        kept = [folder / target / "rows.json" for target in chosen.targets]
        if all(path.exists() for path in kept) and not self.fresh:
            if all(json.loads(path.read_text()).get("code") == code for path in kept):
                return True
            print("  the code has changed: rows are made again", flush=True)
        data = Path(self.environment["TENURE_TESTDATA"])
        if chosen.seed is None and not data.is_dir():
            print(f"  skipped: {data} is not there")
            return False
        self._run("", ["accuracy_rows", chosen.name, str(folder), code])
        return True

    def run(self, chosen: DataSet, target: str, name: str) -> None:
        """Run one side on one target, unless what it would give is kept."""
        side, folder = SIDES[name], self.work / chosen.name / target
        out = folder / "sides" / f"{name}.parquet"
        said = out.with_suffix(".json")
        state = {
            "rows": json.loads((folder / "rows.json").read_text())["checksum"],
            "code": digest("model", "features/peer_percentile.py")
            if name.startswith("tenure")
            else "",
            "budget_seconds": self.budgets.get(side.budget),
        }
        if out.exists() and said.exists() and not self.fresh:
            old = json.loads(said.read_text())
            if all(old.get(key) == value for key, value in state.items()):
                print(f"  {target}, {name}: kept")
                return
        given = {"set": chosen.name, **{key: f"{n:g}" for key, n in self.budgets.items()}}
        script, *more = (part.format_map(given) for part in side.script)
        self._run(side.environment, [script, str(folder), str(out), *more])
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        found = json.loads(said.read_text()) | state | {"measured_at": moment}
        said.write_text(json.dumps(found | {"threads": self.threads}, indent=1) + "\n")
        print(f"  {target}, {name}: fitted in {found['fit_seconds']:.1f} s", flush=True)

    def _run(self, environment: str, script: list[str]) -> None:
        command = [self.python(environment), "-m", f"peers.{script[0]}", *script[1:]]
        done = subprocess.run(
            command,
            check=False,
            cwd=HERE,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(
                f"{' '.join(script)} ended with {done.returncode}:\n{done.stderr[-3000:]}"
            )


def digest(*parts: str) -> str:
    """Return a hash of modules of the package."""
    found = hashlib.sha256()
    for part in parts:
        place = SOURCE / part
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def results(work: Path) -> dict[str, Any]:
    """Measure everything that is kept: data set → target → rows and sides."""
    found: dict[str, Any] = {}
    known: dict[str, list[Any]] = {}
    for name, chosen in SETS.items():
        for target in chosen.targets:
            folder = work / name / target
            if not (folder / "sides" / f"{DEFAULT}.parquet").exists():
                continue
            draws = draws_of(folder)
            found.setdefault(name, {})[target] = measure(folder, draws)
            if chosen.seed is not None:
                known.setdefault(target, []).append(draws)
    if any(len(draws) > 1 for draws in known.values()):
        found[TOGETHER] = {
            target: {"worlds": len(draws), "sides": summary(together(draws))}
            for target, draws in known.items()
        }
    return found


def claims_of(found: dict[str, Any]) -> list[Claim]:
    """Return the limits beside what was measured."""
    claims = []
    for name, targets in found.items():
        for target, entry in targets.items():
            for side, own in entry["sides"].items():
                what = f"{name}, {target}"
                if side == DEFAULT and "run" in own:
                    took = own["run"]["fit_seconds"]
                    claims.append(Claim(f"{what}: Tenure fits in", took, "s", MOST_SECONDS))
                if side in (DEFAULT, "tenure_tuned", ORACLE):
                    continue
                for measured in COMPARED:
                    claims.append(_favourable(what, side, measured, own))
            share = entry["sides"][DEFAULT].get("oracle_share")
            if share and name == TOGETHER:
                text = f"{name}, {target}: share of the oracle's AUC gain over 0.5 (mean)"
                claims.append(Claim(text, share["value"], "", LEAST_SHARE, at_most=False))
    return claims


def _favourable(what: str, side: str, measured: str, own: dict[str, Any]) -> Claim:
    """Return the claim that the interval of a difference holds 0 or favours Tenure."""
    better = measured == "auc"
    end = own["tenure_minus"][measured]["hi" if better else "lo"]
    text = f"{what}: {measured.replace('_', ' ')} less that of {LABELS[side]}, "
    text += "upper end" if better else "lower end"
    return Claim(text, end, "", 0, at_most=not better)


def main() -> int:
    """Prepare, run, measure, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    wanted = [name for name, side in SIDES.items() if side.wanted]
    parser.add_argument("--sides", nargs="*", choices=SIDES, default=wanted)
    parser.add_argument("--targets", nargs="+", help="only these")
    parser.add_argument("--seconds", type=float, default=600, help="what AutoGluon may take")
    parser.add_argument("--tuning", type=float, default=120, help="what Tenure's search may take")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="make rows and chosen sides again")
    parser.add_argument("--prepare", action="store_true", help="rows and environments alone")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "tenure-accuracy"
    )
    options = parser.parse_args()
    budgets = {"seconds": options.seconds, "tuning": options.tuning}
    bench = Bench(options.work.resolve(), budgets, options.threads, fresh=options.fresh)
    options.work.mkdir(parents=True, exist_ok=True)
    for name in options.sets:
        print(name, flush=True)
        if not bench.prepare(SETS[name]) or options.prepare:
            continue
        for target in SETS[name].targets:
            for side in options.sides if target in (options.targets or [target]) else []:
                bench.run(SETS[name], target, side)
    if options.prepare:
        for side in SIDES.values():
            bench.python(side.environment)
        return 0
    found = results(options.work)
    kept = record("accuracy", claims_of(found))
    path = RESULTS / "accuracy.json"
    document = json.loads(path.read_text(encoding="utf-8")) | {
        "frozen_seeds": FROZEN_SEEDS,
        "results": found,
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_page(document)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
