"""The built-in world: a simulated subscription business whose truth is known."""

from __future__ import annotations

from tenure.demo.card import world_card
from tenure.demo.oracle import Replay
from tenure.demo.outcomes import read_outcomes
from tenure.demo.planted import Decoy, Planted, decoys, planted_drivers
from tenure.demo.world import WorldSummary, write_oracle, write_world

__all__ = [
    "Decoy",
    "Planted",
    "Replay",
    "WorldSummary",
    "decoys",
    "planted_drivers",
    "read_outcomes",
    "world_card",
    "write_oracle",
    "write_world",
]
