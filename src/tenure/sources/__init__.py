"""The tables of the contract: declared, found, mapped, coerced, checked and reported."""
