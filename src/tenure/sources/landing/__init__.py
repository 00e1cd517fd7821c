"""Tables that are fetched before they are read: of databases, lakes and object stores.

    runs/landing/<table>/
        manifest.json     what landed last: rows, columns, content, time; written last, atomically
        <run>/            its files: rows.parquet, or those of an object store as they are
        .lock             held while a table lands

`land.land` fetches the tables of a config, `database` and `lake` read them as batches of Arrow, and
`rows` writes these to Parquet.  A landing that is interrupted leaves the last whole one, and the
one before stays for whoever still reads it.  Loading reads the files that landed like any others.
"""
