"""Declarations, settings, errors and files that every stage shares."""
