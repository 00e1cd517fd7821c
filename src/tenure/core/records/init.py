"""What `tenure init` came to."""

from __future__ import annotations

from tenure.core.records.audit import CheckRecord
from tenure.core.records.base import Record


class FolderTable(Record):
    """A table of the folder.

    Attributes:
        name: Its file, and the table inside a DuckDB file.
        vendor: Whose export it is; empty where it is none that is known.
        object: What the vendor's preset calls it.
        columns: How many of its columns the preset knows.
        remark: What it is nearest to, or why it cannot be read.
    """

    name: str
    vendor: str = ""
    object: str = ""
    columns: int = 0
    remark: str = ""


class ProposedTable(Record):
    """A table of the contract, as it is mapped.

    Attributes:
        name: Canonical name.
        presets: The presets that give it, with their versions.
        columns: Columns of the contract that it has.
        notes: What to know about it.
        left_out: Why it is not used; empty where it is.
        rows: Its first rows as they are read, values as text; empty ones are null.
    """

    name: str
    presets: tuple[str, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    left_out: str = ""
    rows: tuple[dict[str, str | None], ...] = ()


class MissingPart(Record):
    """What the folder does not hold.

    Attributes:
        name: A table, or a column with its table before it.
        without: What happens without it.
        usually: Where it usually comes from.
    """

    name: str
    without: str
    usually: str


class InitRecord(Record):
    """A config for the files of a folder.

    Attributes:
        config: The file that was written.
        files: What lies in the folder.
        tables: How the contract's tables are mapped.
        questions: What only a person can answer, such as which number of a date is the month.
        missing: What is absent, and what it would bring.
        check: What `tenure check` says to it; none where the data cannot be used.
        problems: Why the data cannot be used.
    """

    config: str
    files: tuple[FolderTable, ...]
    tables: tuple[ProposedTable, ...]
    questions: tuple[str, ...]
    missing: tuple[MissingPart, ...]
    check: CheckRecord | None = None
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Return whether the config can be used as it is."""
        return self.check is not None and self.check.passed
