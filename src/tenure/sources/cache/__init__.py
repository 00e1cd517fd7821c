"""Staged rows of large files, kept from one load to the next.

parts say which files are staged together, manifest which of them exist and who may read or remove
them, update stages what is new, reread reads them as one table, pieces reads parts one by one.
"""
