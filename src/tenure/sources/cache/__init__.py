"""Staged rows of large tables that come as files, on disk from one load to the next.

    runs/cache/staged/<table>/<how it is staged>/     one folder for each way, named by its hash
        manifest.json     the parts that exist, written last and atomically: what it lists is whole
        <part>/           some source files, staged together
            rows.parquet      their staged rows, sorted by event time
            tally.parquet     rows and times by account, reason and remarks
            keys.parquet      a hash of each row's key
        .lock             held while a process stages, takes a lease or removes parts
        lease-…           one file for each reader, locked as long as it reads

A load asks `parts.staged_parts` for a table.  Under the folder's lock that compares the manifest
with the source files (size and time of last change) and either takes what is listed, or has
`update.Staging` stage the files that are new or changed, look up the keys of new parts in those of
old ones, and merge tiny parts; then the manifest is replaced and whatever it no longer lists is
removed, unless somebody reads.  `parts.view_parts` shows the parts as one staged table in the
engine: a view over their rows, and their tallies added up.

Which accounts are known may differ between two loads: parts are staged without that check, and
`view_parts` makes it.  What a load gives is the same with the cache and without it.
"""
