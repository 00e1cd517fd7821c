"""What `tenure init` came to."""

from __future__ import annotations

from tenure.core.records.audit import CheckRecord
from tenure.core.records.base import Record


class FolderTable(Record):
    """A table of the folder."""

    name: str
    """Its file, and the table inside a DuckDB file."""
    vendor: str = ""
    """Whose export it is; empty where it is none that is known."""
    object: str = ""
    """What the vendor's preset calls it."""
    columns: int = 0
    """How many of its columns the preset knows."""
    remark: str = ""
    """What it is nearest to, or why it cannot be read."""


class ProposedTable(Record):
    """A table of the contract, as it is mapped."""

    name: str
    """Canonical name."""
    presets: tuple[str, ...]
    """The presets that give it, with their versions."""
    columns: tuple[str, ...]
    """Columns of the contract that it has."""
    notes: tuple[str, ...] = ()
    """What to know about it."""
    left_out: str = ""
    """Why it is not used; empty where it is."""
    rows: tuple[dict[str, str | None], ...] = ()
    """Its first rows as they are read, values as text; empty ones are null."""


class MissingPart(Record):
    """What the folder does not hold."""

    name: str
    """A table, or a column with its table before it."""
    without: str
    """What happens without it."""
    usually: str
    """Where it usually comes from."""


class InitRecord(Record):
    """A config for the files of a folder."""

    config: str
    """The file that was written."""
    files: tuple[FolderTable, ...]
    """What lies in the folder."""
    tables: tuple[ProposedTable, ...]
    """How the contract's tables are mapped."""
    questions: tuple[str, ...]
    """What only a person can answer, such as which number of a date is the month."""
    missing: tuple[MissingPart, ...]
    """What is absent, and what it would bring."""
    check: CheckRecord | None = None
    """What `tenure check` says to it; none where the data cannot be used."""
    problems: tuple[str, ...] = ()
    """Why the data cannot be used."""

    @property
    def passed(self) -> bool:
        """Return whether the config can be used as it is."""
        return self.check is not None and self.check.passed
