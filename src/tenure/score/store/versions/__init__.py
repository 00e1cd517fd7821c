"""Versions of the schema, each a step from the one before; Alembic runs those that a store lacks.

To change the schema, add a module here that names the last one as its `down_revision`, and change
`tenure.score.store.schema` alike; a test compares the two.
"""
