"""What stages hand on to each other as JSON: frozen models, checked when written and read."""
