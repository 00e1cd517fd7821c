"""The booster: its encoder, its sizes, the search of its parameters, and one fitted model."""
