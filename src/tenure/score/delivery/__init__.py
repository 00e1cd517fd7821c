"""Where scores are sent: adapters of other systems, and what sends through them."""
