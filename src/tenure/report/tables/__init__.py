"""What reports show, as tables."""
