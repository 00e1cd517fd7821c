"""Snapshots of accounts in time, their labels, and the forward splits of labelled snapshots."""
