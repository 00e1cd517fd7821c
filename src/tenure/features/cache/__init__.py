"""Features of large tables, kept so that a later run adds to them."""
