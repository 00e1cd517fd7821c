"""Who is asked, when, and what happened afterwards."""
