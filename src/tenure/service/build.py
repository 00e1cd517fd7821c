"""`tenure build`: a Bento with the champions inside, and only what serving them needs."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, version
from pathlib import Path
from typing import Any

from tenure.core.authored import rewritten
from tenure.core.config import Config
from tenure.core.files import sha256, write_text
from tenure.model.registry.champion import FILE
from tenure.score.model import load_models
from tenure.service.app import CONFIG

SECTIONS = frozenset(
    {
        *(
            "name",
            "data",
            "labels",
            "targets",
            "model",
            "evaluation",
            "promotion",
            "score",
            "store",
        ),
        *("engine", "service", "metrics", "success", "paths"),
    }
)
"""Of the config: how models are made, tracked and audited, and where scores go, stays outside."""
TRAINING = frozenset({"empulse", "mlflow", "optuna", "shap"})
"""Requirements of ours that no request needs; the pages draw with Altair and vl-convert."""
ENTRY = "tenure_bento"
SERVICE = '''"""The champions in this folder, served."""

from pathlib import Path

from tenure.service.app import service_in

svc = service_in(Path(__file__).parent)
'''
LIBRARY = "libgomp1"
"""LightGBM needs OpenMP of the system."""
WHEEL = "Wheel-Version: 1.0\nGenerator: tenure\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
REQUIRES = re.compile(r"Requires-Dist: ([A-Za-z0-9._-]+)(\[[^]]*\])?")


def build_bento(config_path: Path, config: Config) -> dict[str, Any]:
    """Make a Bento of a config's champions, in ``<runs>/bentoml`` unless ``BENTOML_HOME`` is set.

    It holds the champions, the part of the config that serving reads, with its variables unread,
    and this package as a wheel.  It asks no index for anything.

    Returns:
        The Bento's tag and path, the version of each champion, and the checksum of the wheel.

    Raises:
        ModelError: If there is no champion, or one is damaged.
    """
    os.environ.setdefault("BENTOML_HOME", str(Path(config.paths.runs).resolve() / "bentoml"))
    import bentoml

    logging.getLogger("bentoml").setLevel(logging.ERROR)  # it warns of how it takes wheels
    champions = {name: model.bundle.version for name, model in load_models(config).items()}
    config.paths.runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=config.paths.runs) as name:
        folder = Path(name).resolve()
        _write_context(folder, config_path, config, champions)
        wheel = write_wheel(folder / "wheels")
        checksum = sha256(wheel)
        try:
            with contextlib.chdir(folder):  # it takes no wheel from outside the current directory
                bento = bentoml.build(
                    f"{ENTRY}:svc",
                    name=config.name.lower().strip("._-"),
                    labels={"wheel_sha256": checksum, **champions},
                    description=f"{config.name}: {', '.join(champions)}, served by Tenure.",
                    docker={"system_packages": [LIBRARY]},
                    python={"wheels": [f"wheels/{wheel.name}"], "lock_packages": False},
                    # All else stays outside, above all the secret that a service makes for itself.
                    include=[f"{ENTRY}.py", CONFIG, "models/"],
                    build_ctx=str(folder),
                )
        finally:
            sys.modules.pop(ENTRY, None)
    return {
        "tag": str(bento.tag),
        "path": str(bento.path),
        "models": champions,
        "wheel_sha256": checksum,
    }


def _write_context(
    folder: Path, config_path: Path, config: Config, champions: dict[str, str]
) -> None:
    """Write what the Bento is made of: its service, its config and its champions."""
    write_text(folder / f"{ENTRY}.py", SERVICE)
    runs = config.paths.runs if config.paths.runs.is_absolute() else "runs"
    changes = {
        "name": config.name,
        "data": {"path": "data", "tables": {}},
        "paths": {"models": "models", "runs": f"${{TENURE_RUNS:-{runs}}}"},
    }
    write_text(folder / CONFIG, rewritten(config_path, SECTIONS, changes))
    for target, bundle in champions.items():
        home, copied = config.paths.models / target, folder / "models" / target
        shutil.copytree(home / bundle, copied / bundle)
        shutil.copyfile(home / FILE, copied / FILE)


def write_wheel(folder: Path) -> Path:
    """Return a wheel of this package as it runs, which requires only what serving needs.

    Equal files give equal wheels.
    """
    import tenure

    package, source = Path(tenure.__file__).parent, distribution("tenure")
    start = f"tenure-{source.version}"
    files = {
        f"tenure/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = f"{start}.dist-info"
    files |= {f"{info}/{name}": text.encode() for name, text in _about(source)}
    record = "".join(f"{name},{_hash(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    folder.mkdir(parents=True)
    wheel = folder / f"{start}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return wheel


def _about(source: Distribution) -> Iterator[tuple[str, str]]:
    """Yield the metadata files of a wheel."""
    head, separator, text = (source.read_text("METADATA") or "").partition("\n\n")
    lines = [changed for line in head.splitlines() if (changed := _serving(line)) is not None]
    yield "METADATA", "\n".join(lines) + separator + text
    yield "WHEEL", WHEEL
    yield "entry_points.txt", source.read_text("entry_points.txt") or ""


def _serving(line: str) -> str | None:
    """Return a line of the metadata for serving, None where it is about something else.

    What is required is required at the version that is installed, with which all was tried.
    """
    required = REQUIRES.match(line)
    if required is None:
        return None if line.startswith("Provides-Extra") else line
    name, extras = required[1], required[2] or ""
    if "extra ==" in line or name.lower() in TRAINING:
        return None
    return f"Requires-Dist: {name}{extras}=={version(name)}"


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.decode().rstrip('=')}"
