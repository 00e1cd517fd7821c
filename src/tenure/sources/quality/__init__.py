"""The data report: what was found, what was rejected and why, and dirt that breaks no rule."""
