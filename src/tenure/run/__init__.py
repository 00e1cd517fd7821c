"""The stages, composed."""
