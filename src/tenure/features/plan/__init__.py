"""From declarations to the columns of a matrix: what data and config give, and why not more."""
