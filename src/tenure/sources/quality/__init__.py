"""The data report: what was read, what was rejected and why, and dirt that breaks no rule."""
