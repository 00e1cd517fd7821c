"""From the tables people have to the contract's tables."""
