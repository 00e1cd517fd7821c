"""Charts: rows and a spec in one look, drawn to SVG or PNG without a browser or a network.

A chart is a function from rows to a Vega-Lite spec; it computes no results.  To add one, write such
a function in one of the modules here, name it below and place it in `tenure.report.figures`.
"""

from tenure.report.charts.accounts import band_chart, contribution_chart, effect_chart
from tenure.report.charts.look import WIDE, WIDTH, Picture, picture, to_png, to_svg
from tenure.report.charts.practice import contrast_chart, lead_chart
from tenure.report.charts.target import (
    baseline_chart,
    capture_chart,
    driver_chart,
    fold_chart,
    label_chart,
    reliability_chart,
)

__all__ = [
    "WIDE",
    "WIDTH",
    "Picture",
    "band_chart",
    "baseline_chart",
    "capture_chart",
    "contrast_chart",
    "contribution_chart",
    "driver_chart",
    "effect_chart",
    "fold_chart",
    "label_chart",
    "lead_chart",
    "picture",
    "reliability_chart",
    "to_png",
    "to_svg",
]
