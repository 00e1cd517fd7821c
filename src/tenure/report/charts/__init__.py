"""Charts: rows and a spec in one look, drawn to SVG or PNG without a browser or a network.

A chart is a function from rows and a title to a Vega-Lite spec; it computes no results.  To add one
of a target, write such a function in `charts.target` and name it in `tenure.report.target_charts`.
"""
