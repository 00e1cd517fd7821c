"""From the tables to feature values: the point-in-time cut, the windows and the matrix.

timeline (the cut) → source_query (one SELECT per source) → window_fold, members (rows to window
values) → aggregate → snapshot_values → batches → matrix.
"""
