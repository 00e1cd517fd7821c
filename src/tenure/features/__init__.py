"""What was known about an account before a prediction time."""
