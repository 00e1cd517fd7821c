"""A few rows by the statements that DuckDB runs, without what each statement costs it."""

from tenure.engine.small.engine import SmallEngine

__all__ = ["SmallEngine"]
