# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Dask clusters as data: what users may choose, checked and written as the gateway's options read it."""

from __future__ import annotations

from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._images import image, repository
from ansible_collections.planetary.hub.plugins.module_utils._purposes import MATCHES, pod_placement
from ansible_collections.planetary.hub.plugins.module_utils._quantities import GIB, cores, gibibytes, readable
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    mapping,
    nearest,
    number,
    plain,
    quote,
    texts,
    wrong,
)

# Fits the two-core nodes of a simple deployment, and a laptop. Numbers of memory are GiB.
DEFAULTS: dict[str, Any] = {
    "scheduler": {"cores": {"limit": 1, "guarantee": 0.5}, "memory": {"limit": 2, "guarantee": 1}},
    "worker": {
        "cores": {"default": 1, "min": 0.1, "max": 2, "request": 0.9},
        "memory": {"default": 2, "min": 0.5, "max": 6, "request": 0.88},
    },
    "gpu": {"enabled": False, "cores_max": 4, "memory_max": 24},
    "idle_timeout": 600,
    "limits": {"cores": 100, "memory": 800, "workers": 100},
    "image": None,
    "images": [],
}


def dask_options(
    options: Any, profiles: Any = None, capacity: Any = None, match_node_purpose: str = "prefer"
) -> dict[str, Any]:
    """Check daskhub_dask_options, fill in what is not said, and write it for the gateway.

    Args:
        options: mapping as described in the filter dask_options; what is missing comes from DEFAULTS.
        profiles: the output of profile_list: clusters may use their images, in any version; the default one's is the
            default.
        capacity: what one pod can get at most, by the part of the cluster:
            {"scheduler"|"worker"|"gpu_worker": {"cores": number, "memory": bytes}}, each optional.
        match_node_purpose: one of MATCHES: how strictly pods seek the nodes of their purpose.

    Returns:
        Plain data for JSON: sizes of scheduler and cluster in bytes, those of workers in GiB, as users give them.

    Raises:
        InputError: one sentence that names the key.
    """
    name = "daskhub_dask_options"
    if match_node_purpose not in MATCHES:
        raise InputError(f"match_node_purpose is {quote(match_node_purpose)}; {nearest(match_node_purpose, MATCHES)}")
    merged = _filled(name, plain(options), DEFAULTS)
    worker = {
        "cores": _range(f"{name}: worker.cores", merged["worker"]["cores"], cores),
        "memory": _range(f"{name}: worker.memory", merged["worker"]["memory"], _gib),
    }
    result = {
        "scheduler": {
            **_scheduler(f"{name}: scheduler.cores", merged["scheduler"]["cores"], cores, "cores"),
            **_scheduler(f"{name}: scheduler.memory", merged["scheduler"]["memory"], gibibytes, "memory"),
        },
        "worker": worker,
        "gpu": {
            "enabled": boolean(f"{name}: gpu.enabled", merged["gpu"]["enabled"]),
            "cores_max": cores(f"{name}: gpu.cores_max", merged["gpu"]["cores_max"]),
            "memory_max": _gib(f"{name}: gpu.memory_max", merged["gpu"]["memory_max"]),
        },
        "idle_timeout": number(
            f"{name}: idle_timeout", merged["idle_timeout"], "seconds such as 600, 0 for never", minimum=0
        ),
        "limits": {
            "cores": cores(f"{name}: limits.cores", merged["limits"]["cores"]),
            "memory": gibibytes(f"{name}: limits.memory", merged["limits"]["memory"]),
            "workers": _count(f"{name}: limits.workers", merged["limits"]["workers"]),
        },
        **_images(name, merged, plain(profiles)),
        "placement": {part: pod_placement(part, match_node_purpose) for part in ("scheduler", "worker", "gpu_worker")},
    }
    _check_gpu(name, result)
    _check_limits(name, result)
    _check_capacity(name, result, plain(capacity) or {})
    return result


def _filled(where: str, value: Any, defaults: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Lay what was written over the defaults, level by level; unknown keys are errors."""
    value = mapping(f"{where}{path}", value, defaults)
    result = dict(defaults)
    for key, item in value.items():
        below = f"{path}.{key}" if path else f": {key}"
        result[key] = _filled(where, item, defaults[key], below) if isinstance(defaults[key], dict) else item
    return result


def _gib(where: str, value: Any) -> float:
    """An amount of memory in GiB, as users give it."""
    return round(gibibytes(where, value) / GIB, 6)


def _count(where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise wrong(where, value, "a whole number, 1 or more")
    return value


def _scheduler(where: str, sizes: dict[str, Any], read: Any, key: str) -> dict[str, Any]:
    guarantee = read(f"{where}.guarantee", sizes["guarantee"])
    limit = read(f"{where}.limit", sizes["limit"])
    if limit < guarantee:
        raise InputError(
            f"{where}.limit {sizes['limit']} is below {where.rsplit(': ', 1)[1]}.guarantee {sizes['guarantee']}; "
            "raise the limit or lower the guarantee."
        )
    return {key: guarantee, f"{key}_limit": limit}


def _range(where: str, bounds: dict[str, Any], read: Any) -> dict[str, Any]:
    result = {key: read(f"{where}.{key}", bounds[key]) for key in ("default", "min", "max")}
    if not result["min"] <= result["default"] <= result["max"]:
        raise InputError(
            f"{where}: the default {bounds['default']} is not between min {bounds['min']} and max {bounds['max']}; "
            "change one of them."
        )
    share = number(f"{where}.request", bounds["request"], "a share more than 0 and at most 1, such as 0.9")
    if not 0 < share <= 1:
        raise wrong(f"{where}.request", share, "a share more than 0 and at most 1, such as 0.9")
    return {**result, "request": share}


def _images(where: str, merged: dict[str, Any], profiles: list[dict[str, Any]] | None) -> dict[str, Any]:
    """The default image, and patterns of the images that clusters may use."""
    named = [(profile["default"], profile["kubespawner_override"]["image"]) for profile in profiles or []]
    default = merged["image"]
    if default is None:
        default = next((name for is_default, name in named if is_default), None)
    else:
        default = image(f"{where}: image", default)
    patterns = texts(f"{where}: images", merged["images"], 'patterns such as "registry.example.org/hub/*"')
    for name in [
        *(profile_image for _is_default, profile_image in named),
        *([merged["image"]] if merged["image"] else []),
    ]:
        for pattern in (f"{repository(name)}:*", f"{repository(name)}@*"):
            if pattern not in patterns:
                patterns.append(pattern)
    if not patterns:
        raise InputError(
            f'{where}: images is empty and there are no profiles; name what clusters may use, such as "example/*".'
        )
    return {"image": default, "images": patterns}


def _check_gpu(where: str, result: dict[str, Any]) -> None:
    """A user who only ticks GPU gets a cluster."""
    if not result["gpu"]["enabled"]:
        return
    for key in ("cores", "memory"):
        default, most = result["worker"][key]["default"], result["gpu"][f"{key}_max"]
        if default > most:
            raise InputError(
                f"{where}: gpu.{key}_max {most:g} is below worker.{key}.default {default:g}; "
                "raise it or lower the default."
            )


def _check_limits(where: str, result: dict[str, Any]) -> None:
    """Whatever may be chosen can be started: one worker of the largest size beside the scheduler."""
    for key, unit in (("cores", 1), ("memory", GIB)):
        limit = result["limits"][key]
        needed = result["scheduler"][key] + result["worker"][key]["max"] * unit
        if needed > limit:
            raise InputError(
                f"{where}: limits.{key} {_shown(key, limit)} leaves no room for a scheduler and one worker of "
                f"worker.{key}.max; write at least {_shown(key, needed)} or lower worker.{key}.max."
            )


def _check_capacity(where: str, result: dict[str, Any], capacity: dict[str, Any]) -> None:
    """Refuse sizes that no node can hold."""
    worker = result["worker"]
    asked = {
        "scheduler": {
            "cores": ("scheduler.cores.guarantee", result["scheduler"]["cores"]),
            "memory": ("scheduler.memory.guarantee", result["scheduler"]["memory"]),
        },
        "worker": {
            "cores": ("worker.cores.max", worker["cores"]["max"] * worker["cores"]["request"]),
            "memory": ("worker.memory.max", worker["memory"]["max"] * worker["memory"]["request"] * GIB),
        },
    }
    if result["gpu"]["enabled"]:
        asked["gpu_worker"] = {
            "cores": ("gpu.cores_max", result["gpu"]["cores_max"] * worker["cores"]["request"]),
            "memory": ("gpu.memory_max", result["gpu"]["memory_max"] * worker["memory"]["request"] * GIB),
        }
    for part, sizes in asked.items():
        for key, (name, needed) in sizes.items():
            available = capacity.get(part, {}).get(key)
            if available is not None and needed > available:
                raise InputError(
                    f"{where}: {name} cannot be met: it asks for {_shown(key, needed)} of {key} and a node has "
                    f"{_shown(key, available)}; lower it."
                )


def _shown(key: str, amount: float) -> str:
    return readable(int(amount)) if key == "memory" else f"{amount:g}"
