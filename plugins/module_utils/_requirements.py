# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the control node needs, compared with what it has: pure functions, one sentence for each difference."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

try:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version
except ImportError:
    HAS_PACKAGING = False
else:
    HAS_PACKAGING = True

# Tested from 3.11 to 3.13; ansible-core 2.20 and later also run on 3.14.
PYTHON = ">=3.11,<3.15"

# Needed besides what galaxy.yml says, and only where a hub lives on that platform.
COLLECTIONS: dict[str, dict[str, str]] = {"local": {}, "kubernetes": {"kubernetes.core": ">=6.2.0,<8.0.0"}}
COMMANDS: dict[str, dict[str, str]] = {"local": {}, "kubernetes": {"helm": ">=3.16,<5"}}
# The arguments that make a command print its version.
VERSION_ARGUMENTS: dict[str, list[str]] = {"helm": ["version", "--short"]}
# kubernetes.core speaks Helm 4 only from this version on.
HELM_4_KUBERNETES_CORE = ">=6.5.0"

PLATFORMS = tuple(COMMANDS)


def parse_requirements(text: str) -> list[tuple[str, str]]:
    """Read a requirements file; comments, options and requirements whose marker does not fit are left out.

    Returns ``[(name, specifier)]``, e.g. ``[("requests", "<3,>=2.32")]``.
    Raises ValueError with one sentence for a line that is none.
    """
    found: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not content or content.startswith("-"):
            continue
        try:
            requirement = Requirement(content)
        except InvalidRequirement as error:
            raise ValueError(
                f"Line {number} of the requirements, {content!r}, is no Python requirement: {error}"
            ) from error
        if requirement.marker is None or requirement.marker.evaluate():
            found.append((requirement.name, str(requirement.specifier)))
    return found


def fits(version: str | None, specifier: str) -> bool:
    """Whether ``version`` (``None``: not there; a leading ``v`` is fine) lies within ``specifier``."""
    if version is None:
        return False
    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _found(version: str | None) -> str:
    return "is missing" if version is None else f"is {version}"


def check_python(version: str, executable: str) -> list[str]:
    """The Python that runs Ansible."""
    if fits(version, PYTHON):
        return []
    return [f"Python {version} ({executable}) runs Ansible, but the collection needs Python {PYTHON}: use another."]


def check_core(version: str, specifier: str) -> list[str]:
    """ansible-core against ``requires_ansible`` of meta/runtime.yml."""
    if fits(version, specifier):
        return []
    return [f"ansible-core is {version}, but the collection needs ansible-core {specifier}: install that version."]


def check_packages(
    required: Iterable[tuple[str, str]], installed: Callable[[str], str | None], executable: str, requirements_file: str
) -> list[str]:
    """Python packages; ``installed`` answers the version of a package or ``None``."""
    return [
        f"Python package {name} {_found(installed(name))}, but the control node needs {name}{specifier}: "
        f"run {executable} -m pip install -r {requirements_file}"
        for name, specifier in required
        if not fits(installed(name), specifier)
    ]


def required_collections(dependencies: Mapping[str, str], platforms: Iterable[str]) -> dict[str, str]:
    """Name to range: the collection's own dependencies and those of the platforms in use."""
    wanted = dict(dependencies)
    for platform in platforms:
        wanted.update(COLLECTIONS.get(platform, {}))
    return wanted


def check_collections(required: Mapping[str, str], installed: Callable[[str], str | None]) -> list[str]:
    """Ansible collections; ``installed`` answers the version of a collection or ``None``."""
    return [
        f"Collection {name} {_found(installed(name))}, but the control node needs {name} {specifier}: "
        f"run ansible-galaxy collection install '{name}:{specifier}'"
        for name, specifier in required.items()
        if not fits(installed(name), specifier)
    ]


def required_commands(platforms: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Name to (range, the platform that needs it)."""
    return {
        name: (specifier, platform) for platform in platforms for name, specifier in COMMANDS.get(platform, {}).items()
    }


def check_commands(
    required: Mapping[str, tuple[str, str]],
    installed: Callable[[str], str | None],
    collection: Callable[[str], str | None],
) -> list[str]:
    """Commands; ``installed`` answers the version of a command or ``None``, ``collection`` that of a collection."""
    problems = []
    for name, (specifier, platform) in required.items():
        version = installed(name)
        if not fits(version, specifier):
            problems.append(
                f"Command {name} {_found(version)}, but hub_platform {platform} needs {name} {specifier}: "
                "install it, or use the execution environment."
            )
        elif (
            name == "helm"
            and fits(version, ">=4.0.dev0")
            and not fits(collection("kubernetes.core"), HELM_4_KUBERNETES_CORE)
        ):
            problems.append(
                f"Command helm is {version}, which needs kubernetes.core {HELM_4_KUBERNETES_CORE}, "
                f"but kubernetes.core {_found(collection('kubernetes.core'))}: install that collection or helm 3."
            )
    return problems


def check_platforms(platforms: Mapping[str, str]) -> list[str]:
    """``platforms``: host to its ``hub_platform``."""
    return [
        f"hub_platform of host {host} is {platform!r}: it must be {' or '.join(PLATFORMS)}."
        for host, platform in platforms.items()
        if platform not in PLATFORMS
    ]


def role_options(specs: Mapping[str, Any]) -> set[str]:
    """All options of all entry points of one role's meta/argument_specs.yml."""
    return {
        option
        for entry_point in (specs.get("argument_specs") or {}).values()
        for option in ((entry_point or {}).get("options") or {})
    }


def _nearest(name: str, known: Iterable[str], cutoff: float) -> str | None:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)), None)


def check_variables(
    variables: Mapping[str, Iterable[str]], roles: Mapping[str, set[str]], switches: Iterable[str]
) -> list[str]:
    """Variables that look as if a role read them, but none does.

    ``variables``: host to the names of its variables. ``roles``: role to the options it knows. ``switches``: the known
    ``hub_*`` variables; of these only near misses are reported, because an inventory may well have some of its own.
    """
    hosts_of: dict[str, list[str]] = {}
    for host, names in variables.items():
        for name in names:
            hosts_of.setdefault(name, []).append(host)
    outputs = {f"{role}_outputs" for role in roles}
    known_switches = set(switches)
    problems = []
    for name in sorted(hosts_of):
        where = f"Variable {name} of host{'s' if len(hosts_of[name]) > 1 else ''} {', '.join(hosts_of[name])}"
        # The longest prefix wins: secrets_store_x belongs to a role secrets_store, not to secrets.
        role = max((role for role in roles if name.startswith(f"{role}_")), key=len, default=None)
        if role is not None and name not in roles[role] | outputs:
            nearest = _nearest(name.removeprefix(f"{role}_"), [x.removeprefix(f"{role}_") for x in roles[role]], 0.6)
            advice = (
                f"rename it to {role}_{nearest}, or remove it"
                if nearest
                else f"remove it, or see README.md of role {role}"
            )
            problems.append(f"{where} is unknown to role {role}: {advice}.")
        elif role is None and name.startswith("hub_") and name not in known_switches:
            nearest = _nearest(name, known_switches, 0.85)
            if nearest:
                problems.append(
                    f"{where} is read by nothing: rename it to {nearest}, or give it a name that is less alike."
                )
    return problems
