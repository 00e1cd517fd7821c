"""Charts and the one-file report."""
