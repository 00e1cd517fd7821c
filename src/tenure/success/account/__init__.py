"""One account in the round: everything that was known about it at a prediction time."""
