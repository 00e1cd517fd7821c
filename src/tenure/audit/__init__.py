"""The point-in-time audit, and columns that know an outcome too well."""
