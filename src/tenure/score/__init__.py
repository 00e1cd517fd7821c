"""Scores: bundle + data + `as_of` → flat rows, and what stands behind them."""
