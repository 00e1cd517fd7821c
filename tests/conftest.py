"""What every test may rely on: no telemetry, and the same random examples on every machine."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

for name, value in {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(name, value)

ALWAYS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("ci", ALWAYS, max_examples=25, derandomize=True)
settings.register_profile("acceptance", ALWAYS, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
