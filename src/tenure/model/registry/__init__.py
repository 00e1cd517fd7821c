"""Registry of bundles: the champion, its challengers, and whether one may take over."""
