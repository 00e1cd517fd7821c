"""What the past would have shown: the walk forward, and the baselines beside it."""
