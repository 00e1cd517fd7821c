"""Loads the tables of the contract: finds, maps, coerces, checks and reports on them."""
