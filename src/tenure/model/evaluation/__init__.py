"""Evaluation of predictions: metrics with intervals, and the verdict."""
