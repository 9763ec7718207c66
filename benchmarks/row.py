# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""One measured figure beside what it is held against in the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A figure.

    Args:
        name: what was measured.
        value: ours, in ``unit``.
        unit: unit of ``value`` and of ``peer_value``, ``s`` mostly.
        peer: what it is held against: another program in the same run, or a limit.
        peer_value: the peer's figure or the limit.
        goal: the greatest ratio of ``value`` to ``peer_value`` that is good enough.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    goal: float

    @property
    def ratio(self) -> float:
        return self.value / self.peer_value

    @property
    def reached(self) -> bool:
        return self.ratio <= self.goal

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "against": f"{self.peer}: {self.peer_value:.3g} {self.unit}",
            "ratio": round(self.ratio, 3),
            "goal": self.goal,
            "reached": self.reached,
        }


def table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned table for people."""
    lines = [("measure", "ours", "held against", "ratio", "goal", "reached")]
    lines += [
        (
            row.name,
            f"{row.value:.2f} {row.unit}",
            f"{row.peer}: {row.peer_value:.2f} {row.unit}",
            f"{row.ratio:.2f}",
            f"<= {row.goal:g}",
            "yes" if row.reached else "NO",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)
