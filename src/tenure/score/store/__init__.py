"""The store: every scored run, kept to be compared with later ones and held against what happened.

runs        one scoring run
run_models  run × target × horizon: the model that was asked, and its signals
scores      run × account × target × horizon: the score
blocks      drivers of the scores and contributions of the signals, of a block of scores a row
wordings    the sentences of drivers without their figures, shared by all runs

SQLite in WAL mode by default, or PostgreSQL.  A run stands in it whole or not at all: it is written
in one transaction.  It is named by what it follows from, so that scoring the same again adds
nothing.  The schema has a version; an older store is brought up to date when it is opened.
"""
