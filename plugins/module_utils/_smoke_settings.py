# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the smoke test looks at, as whom, and how long each wait may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BYTES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}  # as KubeSpawner reads them


@dataclass(frozen=True)
class Limits:
    """Seconds that each wait may take."""

    request: float
    start: float
    cluster: float
    worker: float
    compute: float
    clean_up: float

    @property
    def total(self) -> float:
        """Long enough for a run in which every wait takes its whole time, clean-up before and after included."""
        return 10 * self.request + self.start + self.cluster + self.worker + 4 * self.compute + 4 * self.clean_up


@dataclass(frozen=True)
class Settings:
    """What is tested, and as whom."""

    url: str
    user: str
    password: str
    token: str
    profile: str
    cpu_limit: float | None
    memory_limit: int | None
    cluster_options: Mapping[str, Any]
    environment: Mapping[str, Sequence[str]]
    limits: Limits
    proof: str
    gateway: str
    logs: Mapping[str, str]
    ca_file: str = ""
    service_token: str = ""


def byte_count(size: str) -> int | None:
    """A memory size as KubeSpawner reads it, in bytes; ``None`` when nothing is given.

    >>> byte_count("1.5G")
    1610612736
    """
    text = size.strip()
    if not text:
        return None
    unit = BYTES.get(text[-1].upper())
    return int(float(text[:-1]) * unit) if unit else int(float(text))


def core_count(cores: str) -> float | None:
    """A number of cores; ``None`` when nothing is given."""
    return float(cores) if cores.strip() else None
