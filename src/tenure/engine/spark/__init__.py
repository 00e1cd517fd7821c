"""Spark: where the data outgrow one machine.  The same statements, translated."""
