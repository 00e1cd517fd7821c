"""Work lists: whom each owner is to call, within what the owner can do, and why now."""
