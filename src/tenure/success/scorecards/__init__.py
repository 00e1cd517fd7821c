"""Scorecards: what an account's outcomes and experience are worth on a scale from 0 to 100."""
