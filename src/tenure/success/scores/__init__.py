"""Metrics of the scores themselves, over those whose outcome is known."""
