"""How good predictions were: measures with intervals, and the verdict."""
