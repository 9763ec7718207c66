# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where somebody wrote a key: ansible-core remembers file and line of what it read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # another ansible-core may keep it elsewhere
    Origin = None


def place(fragments: Iterable[Mapping[str, Any]], origin: str, path: tuple[Any, ...]) -> str:
    """``<file>:<line>`` of the deepest key of a path that a fragment of this origin has; empty if nobody knows."""
    found = ""
    for fragment in fragments:
        value: Any = fragment.get("values") if fragment.get("origin") == origin else None
        for step in path:
            if not isinstance(value, Mapping) or step not in value:
                break
            key = next(key for key in value if key == step)
            found = written(key) or found
            value = value[step]
    return found


def written(value: Any) -> str:
    """``<file>:<line>`` of a key or value; empty if nobody knows."""
    tag = Origin.get_tag(value) if Origin else None
    return f"{tag.path}:{tag.line_num}" if tag and tag.path and tag.line_num else ""
