"""From log-odds to probabilities, and the bounds around them."""
