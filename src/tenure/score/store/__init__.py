"""The store: every scored run, kept to be compared with later ones and held against what happened.

A run stands in it whole or not at all, and is named by what it follows from: docs/store.md.
"""
