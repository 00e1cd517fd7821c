"""Backtest: the walk forward through past prediction times, and the baselines beside it."""
