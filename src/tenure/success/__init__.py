"""Customer-success metrics: declarations, and one interpreter that reads them from the tables."""
