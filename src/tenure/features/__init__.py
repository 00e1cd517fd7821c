"""Point-in-time features: declarations of what is known about an account, and their computation.

The package can be called: ``tenure.features("usage")`` lists what the family holds.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class _Callable(ModuleType):
    def __call__(self, family: str | None = None) -> pd.DataFrame:
        """Return the features of a family, or of all: see `reference_page.feature_table`."""
        from tenure.features.reference_page import feature_table

        return feature_table(family)


sys.modules[__name__].__class__ = _Callable
