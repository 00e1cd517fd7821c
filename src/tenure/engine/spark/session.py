"""A Spark session for Tenure: quiet, offline, in UTC, with standard SQL errors and Arrow."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.config import EngineConfig
from tenure.core.errors import ConfigError, Problem, first_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SQL_SETTINGS: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.csv.parser.columnPruning.enabled": "false",  # a broken row is found in any column
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}
"""What the meaning of the SQL depends on; it holds in every session, also in a borrowed one."""

START_SETTINGS: Mapping[str, str] = {
    "spark.app.name": "tenure",
    "spark.driver.maxResultSize": "0",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
LOCAL_SETTINGS: Mapping[str, str] = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
JAVA_OPTIONS = "spark.driver.extraJavaOptions"
LOGGING = """rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
"""
INSTALL = "install it with `pip install 'tenure[spark]'`; it needs Java 17 (java on the PATH)"


def address(chosen: EngineConfig) -> str:
    """Return the address of the Spark master; ``local[…]`` runs in this process."""
    return chosen.master or f"local[{chosen.threads}]"


def open_session(chosen: EngineConfig, folder: Path) -> tuple[SparkSession, bool]:
    """Return a session of its own views and settings, and whether Spark was started for it.

    Where Spark runs already in this process, as in a notebook of a platform, it is used.  The
    folder is a temporary one for what Spark reads when it starts.

    Raises:
        ConfigError: If Java is missing, or Spark does not start.
    """
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    _load_quietly()
    authored = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in chosen.settings.items()
    }
    started = SparkContext._active_spark_context is None
    if started:
        session = _start(chosen, authored, folder)
    else:
        session = SparkSession.builder.getOrCreate().newSession()
    for name, value in {**SQL_SETTINGS, **_changeable(authored)}.items():
        session.conf.set(name, value)
    return session, started


def _start(chosen: EngineConfig, authored: Mapping[str, str], folder: Path) -> SparkSession:
    from pyspark.sql import SparkSession

    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        rule = "needs Java, which was not found"
        raise ConfigError(Problem("engine.kind: spark", rule, "", INSTALL))
    logging = folder / "log4j2.properties"
    logging.write_text(LOGGING, encoding="utf-8")
    settings: dict[str, Any] = {**START_SETTINGS, **SQL_SETTINGS}
    settings["spark.sql.warehouse.dir"] = str(folder / "warehouse")
    if address(chosen).startswith("local"):
        settings |= LOCAL_SETTINGS
        settings["spark.driver.memory"] = java_size(chosen.memory_limit)
        settings["spark.sql.shuffle.partitions"] = str(2 * chosen.threads)
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings |= authored
    options = f"-Dlog4j2.configurationFile=file:{logging}"
    settings[JAVA_OPTIONS] = f"{options} {authored.get(JAVA_OPTIONS, '')}".strip()
    try:
        return SparkSession.builder.master(address(chosen)).config(map=settings).getOrCreate()
    except Exception as error:
        place = f"engine.master: {address(chosen)}"
        raise ConfigError(
            Problem(place, "Spark did not start", first_line(error), INSTALL)
        ) from error


def _changeable(authored: Mapping[str, str]) -> dict[str, str]:
    """Return the authored settings that may change while Spark runs."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    changes = {}
    for name, value in authored.items():
        with contextlib.suppress(PySparkException):
            if session is not None and session.conf.isModifiable(name):
                changes[name] = value
    return changes


def _load_quietly() -> None:
    """Import what PySpark loads on first use; it warns of pandas 3, of which nothing is used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyspark.testing.utils  # noqa: F401


def java_size(limit: str) -> str:
    """Return a memory limit as Java spells it, in whole mebibytes.

    >>> java_size("4GB"), java_size("1.5 GiB")
    ('3814m', '1536m')
    """
    number = float(limit.rstrip("KMGTiB "))
    unit = limit.strip()[len(limit.strip().rstrip("KMGTiB ")) :].strip()
    base = 1024 if "i" in unit else 1000
    size = number * base ** ("KMGT".index(unit[0]) + 1)
    return f"{max(1, int(size / 1024**2))}m"
