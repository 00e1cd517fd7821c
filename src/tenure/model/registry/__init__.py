"""Which bundle is champion, which are challengers, and whether one may take over."""
