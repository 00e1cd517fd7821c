"""The metrics of a period as a workbook that can be audited: rows, live formulas, checks."""
