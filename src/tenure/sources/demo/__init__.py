"""The built-in world: a simulated subscription business whose truth is known."""

from __future__ import annotations

from tenure.sources.demo.oracle import Replay
from tenure.sources.demo.world import WorldSummary, write_oracle, write_world

__all__ = ["Replay", "WorldSummary", "write_oracle", "write_world"]
