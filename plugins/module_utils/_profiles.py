# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Profiles as data: what users choose from, turned into KubeSpawner's profileList."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._images import image
from ansible_collections.planetary.hub.plugins.module_utils._purposes import (
    GPU_RESOURCE,
    MATCHES,
    preferred_terms,
    required_terms,
    tolerations,
)
from ansible_collections.planetary.hub.plugins.module_utils._quantities import cores, memory, readable
from ansible_collections.planetary.hub.plugins.module_utils._user_environment import (
    escape,
    variable_name,
    variable_value,
)
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    kind,
    mapping,
    nearest,
    plain,
    quote,
    text,
    texts,
    wrong,
)

_KEYS = (
    "name",
    "display_name",
    "description",
    "image",
    "cores",
    "memory",
    "gpu",
    "default_url",
    "environment",
    "purpose",
    "visible_to",
    "default",
    "enabled",
)
_SIZE_KEYS = ("limit", "guarantee")
_PURPOSES = ("user", "gpu_user")
# Two hyphens would make KubeSpawner's form fields "profile-option-<slug>--<option>" ambiguous.
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def profile_list(profiles: Any, capacity: Any = None, match_node_purpose: str = "prefer") -> list[dict[str, Any]]:
    """Turn daskhub_profiles into KubeSpawner's profileList.

    Every profile sets every key it could set: what a key's absence means would depend on the chart's defaults.

    Args:
        profiles: list of profiles as described in the filter profile_list.
        capacity: what one server can get at most: {"cores": number, "memory": bytes, "gpu": count}, each optional.
        match_node_purpose: one of MATCHES: how strictly servers seek the nodes of their purpose.

    Returns:
        The enabled profiles, in order; exactly one has default true; visible_to is for the hub's own use.

    Raises:
        InputError: one sentence that names the profile.
    """
    profiles = plain(profiles)
    if match_node_purpose not in MATCHES:
        raise InputError(f"match_node_purpose is {quote(match_node_purpose)}; {nearest(match_node_purpose, MATCHES)}")
    if not isinstance(profiles, list):
        raise wrong("daskhub_profiles", profiles, "a list of profiles, each with name and image")
    seen: dict[str, int] = {}
    result = []
    default: str | None = None
    for index, profile in enumerate(profiles):
        where = _where(index, profile)
        checked = _profile(where, profile, match_node_purpose)
        slug = checked["slug"]
        if slug in seen:
            raise InputError(f"{where} has the name of daskhub_profiles[{seen[slug]}]; give each a name of its own.")
        seen[slug] = index
        enabled = boolean(f"{where}: enabled", profile.get("enabled", True))
        if checked["default"]:
            if not enabled:
                raise InputError(f"{where} is the default but not enabled; enable it or mark another one.")
            if default is not None:
                raise InputError(
                    f"{where} is marked as default, and so is daskhub_profiles[{seen[default]}] {quote(default)}; "
                    "mark one of them."
                )
            default = slug
        if enabled:
            _check_capacity(where, checked["kubespawner_override"], plain(capacity) or {})
            result.append(checked)
    if not result:
        raise InputError("daskhub_profiles has no enabled profile; describe at least one, or enable one.")
    if default is None:
        result[0]["default"] = True
    return result


def _where(index: int, profile: Any) -> str:
    named = isinstance(profile, dict) and isinstance(profile.get("name"), str)
    return f"daskhub_profiles[{index}]" + (f" {quote(profile['name'])}" if named else "")


def _profile(where: str, profile: Any, match_node_purpose: str) -> dict[str, Any]:
    """Check one profile and write it as KubeSpawner reads it."""
    profile = mapping(where, profile, _KEYS)
    name = profile.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > 63:
        raise wrong(f"{where}: name", name, 'at most 63 lowercase letters, digits and single hyphens, such as "gpu-1"')
    cpu = _sizes(where, profile, "cores", cores)
    mem = _sizes(where, profile, "memory", memory)
    gpu = _gpu(where, profile)
    purpose = _purpose(where, profile, gpu)
    override: dict[str, Any] = {
        "image": image(f"{where}: image", profile.get("image")),
        "cpu_limit": cpu["limit"],
        "cpu_guarantee": cpu["guarantee"],
        "mem_limit": mem["limit"],
        "mem_guarantee": mem["guarantee"],
        # KubeSpawner merges this mapping into what is set for everybody: only an explicit 0 is sure to mean none.
        "extra_resource_limits": {GPU_RESOURCE: str(gpu)},
        "environment": _environment(where, profile),
        "tolerations": tolerations(purpose),
        "node_affinity_required": required_terms(purpose, match_node_purpose),
        "node_affinity_preferred": preferred_terms(purpose, match_node_purpose),
    }
    if "default_url" in profile:
        override["default_url"] = _default_url(where, profile["default_url"])
    return {
        "slug": name,
        "display_name": text(f"{where}: display_name", profile.get("display_name", name)),
        "description": _description(where, profile, override, gpu),
        "default": boolean(f"{where}: default", profile.get("default", False)),
        "visible_to": _visible_to(where, profile),
        "kubespawner_override": override,
    }


def _sizes(where: str, profile: dict[str, Any], key: str, read: Any) -> dict[str, Any]:
    """Check limit and guarantee of cores or memory; without a guarantee the limit is guaranteed, as Kubernetes does."""
    sizes = mapping(f"{where}: {key}", profile.get(key, {}), _SIZE_KEYS)
    amounts = {name: read(f"{where}: {key}.{name}", sizes[name]) for name in _SIZE_KEYS if sizes.get(name) is not None}
    if "limit" in amounts and "guarantee" in amounts and amounts["limit"] < amounts["guarantee"]:
        raise InputError(
            f"{where}: {key}.limit {sizes['limit']} is below {key}.guarantee {sizes['guarantee']}; "
            "raise the limit or lower the guarantee."
        )
    limit = sizes.get("limit")
    guarantee = sizes.get("guarantee")
    return {"limit": limit, "guarantee": limit if guarantee is None else guarantee}


def _gpu(where: str, profile: dict[str, Any]) -> int:
    gpu = profile.get("gpu", 0)
    if isinstance(gpu, bool) or not isinstance(gpu, int) or gpu < 0:
        raise wrong(f"{where}: gpu", gpu, "a whole number of GPUs, 0 for none")
    return gpu


def _purpose(where: str, profile: dict[str, Any], gpu: int) -> str:
    """The purpose of the nodes; it must agree with the GPUs: no GPU node for nothing, no GPU where there is none."""
    fitting = "gpu_user" if gpu else "user"
    purpose = profile.get("purpose", fitting)
    if purpose not in _PURPOSES:
        raise InputError(f"{where}: purpose is {kind(purpose)}; {nearest(purpose, _PURPOSES)}")
    if purpose != fitting:
        raise InputError(f'{where}: purpose "{purpose}" does not go with gpu {gpu}; write "{fitting}" or change gpu.')
    return str(purpose)


def _environment(where: str, profile: dict[str, Any]) -> dict[str, str]:
    variables = profile.get("environment", {})
    if not isinstance(variables, dict):
        raise wrong(f"{where}: environment", variables, "a mapping of names and values")
    return {
        variable_name(f"{where}: environment", name): escape(variable_value(f"{where}: environment.{name}", value))
        for name, value in variables.items()
    }


def _default_url(where: str, value: Any) -> str:
    url = text(f"{where}: default_url", value, 'a path such as "/lab"')
    if not url.startswith("/"):
        raise wrong(f"{where}: default_url", value, 'a path that begins with a slash, such as "/lab"')
    return url


def _visible_to(where: str, profile: dict[str, Any]) -> dict[str, list[str]]:
    """Names of users and groups; nobody named means everyone."""
    visible = mapping(f"{where}: visible_to", profile.get("visible_to", {}), ("users", "groups"))
    return {
        key: texts(f"{where}: visible_to.{key}", visible.get(key, []), f"names of {key}") for key in ("users", "groups")
    }


def _description(where: str, profile: dict[str, Any], override: dict[str, Any], gpu: int) -> str:
    """What the form says below the name: the profile's own words, or its sizes."""
    if "description" in profile:
        return text(f"{where}: description", profile["description"])
    parts = []
    if override["cpu_limit"] is not None:
        parts.append(_counted(override["cpu_limit"], "core"))
    if override["mem_limit"] is not None:
        parts.append(f"{override['mem_limit'][:-1]} {override['mem_limit'][-1]}iB of memory")
    if gpu:
        parts.append(_counted(gpu, "GPU"))
    return ", ".join(parts)


def _counted(number: float, noun: str) -> str:
    return f"{number:g} {noun}" if number == 1 else f"{number:g} {noun}s"


def _check_capacity(where: str, override: dict[str, Any], capacity: dict[str, Any]) -> None:
    """Refuse a profile whose guarantee is more than one server can get."""
    needed_cores = override["cpu_guarantee"]
    if needed_cores is not None and needed_cores > capacity.get("cores", needed_cores):
        raise InputError(
            f"{where} cannot be met: it needs {_counted(needed_cores, 'core')}, but {capacity['cores']:g} is the most "
            "there is; lower cores.guarantee."
        )
    needed_memory = override["mem_guarantee"] and memory(where, override["mem_guarantee"])
    if needed_memory is not None and needed_memory > capacity.get("memory", needed_memory):
        raise InputError(
            f"{where} cannot be met: it needs {readable(needed_memory)} of memory, but {readable(capacity['memory'])} "
            "is the most there is; lower memory.guarantee."
        )
    needed_gpus = int(override["extra_resource_limits"][GPU_RESOURCE])
    if needed_gpus > capacity.get("gpu", needed_gpus):
        raise InputError(
            f"{where} cannot be met: it needs {_counted(needed_gpus, 'GPU')}, but {capacity['gpu']} is the most there "
            "is; lower gpu or disable the profile."
        )
