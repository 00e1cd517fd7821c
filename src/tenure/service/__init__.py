"""Scores over HTTP.

Telemetry is switched off here, before BentoML is first imported: it reads these once.
"""

from __future__ import annotations

import os

for _name, _value in {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "true",
    "OTEL_SDK_DISABLED": "true",
}.items():
    os.environ.setdefault(_name, _value)
