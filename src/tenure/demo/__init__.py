"""The built-in world: a simulated subscription business whose truth is known."""

from __future__ import annotations

from tenure.demo.world import WorldSummary, write_world

__all__ = ["WorldSummary", "write_world"]
