"""The shapes in which vendors hand out data, declared; and the mapping of files that have them."""
