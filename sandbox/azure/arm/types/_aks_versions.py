# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Kubernetes versions of AKS, and which may follow which.

Source: https://learn.microsoft.com/azure/aks/supported-kubernetes-versions
"""

from __future__ import annotations

from typing import Any

from ...web import Answer, Refusal

#: minor version -> its patches.
PATCHES: dict[str, tuple[str, ...]] = {
    "1.34": ("1.34.6", "1.34.7"),
    "1.35": ("1.35.3", "1.35.4"),
    "1.36": ("1.36.1", "1.36.2"),
    "1.37": ("1.37.0",),
}
DEFAULT = "1.35"
LONG_TERM = ("1.36",)
PREVIEW = ("1.37",)
IMAGE_DATES = ("202610.15.0", "202611.05.0", "202611.19.0")


class AksRefusal(Refusal):
    """A refusal in the form of the container service: without an ``error`` around it."""

    def __init__(self, status: int, code: str, message: str, target: str = "", subcode: str = "") -> None:
        body: dict[str, Any] = {"code": code, "details": None, "message": message, "subcode": subcode}
        if target:
            body["target"] = target
        super().__init__(status, code, message, body=body)

    def answer(self) -> Answer:
        answer = super().answer()
        answer.headers["x-ms-failure-cause"] = "service"
        return answer


def invalid(parameter: str, detail: str) -> AksRefusal:
    """The refusal of a parameter's value."""
    message = f"The value of parameter {parameter} is invalid. Error details: {detail}. Please see "
    return AksRefusal(400, "InvalidParameter", f"{message}https://aka.ms/aks-naming-rules for more details.", parameter)


def number(version: str) -> tuple[int, ...]:
    """A version to compare by."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def minor(version: str) -> str:
    """``1.35.4`` is of ``1.35``."""
    return ".".join(version.split(".")[:2])


def current(version: str) -> str:
    """The patch that runs when a version or a minor version is asked for; "" for what is not offered."""
    patches = PATCHES.get(minor(version), ())
    if version in patches:
        return version
    return patches[-1] if version in PATCHES else ""


def upgrades(version: str) -> list[str]:
    """What may follow a patch: later ones of its minor version and all of the next."""
    major, small = number(version)[:2]
    later = [one for one in PATCHES.get(minor(version), ()) if number(one) > number(version)]
    return [*later, *PATCHES.get(f"{major}.{small + 1}", ())]


def supported(version: str) -> str:
    """The patch of an offered version; refuses any other."""
    found = current(version)
    if not found:
        message = (
            f"Version {version} is not supported in this region. Please use [az aks get-versions] command to get the"
            " supported version list in this region. For more information, please check"
            " https://aka.ms/supported-version-list"
        )
        raise AksRefusal(400, "K8sVersionNotSupported", message, "kubernetesVersion")
    return found


def moved(wanted: str, running: str) -> str:
    """The patch that shall run after what runs now; refuses a step that AKS does not take."""
    if wanted in (running, minor(running)):
        return running
    found = supported(wanted)
    if found not in upgrades(running):
        choices = " ".join(upgrades(running))
        message = (
            f"Upgrading Kubernetes version {running} to {found} is not allowed. Available upgrades: [{choices}]."
            " Please see https://aka.ms/aks-supported-k8s-ver for version details."
        )
        raise AksRefusal(400, "OperationNotAllowed", message, "kubernetesVersion")
    return found


def fits(pool: str, control_plane: str) -> None:
    """Refuse a pool that is newer than its control plane, or more than three minor versions older."""
    mine, above = number(pool), number(control_plane)
    why = ""
    if mine[:2] > above[:2]:
        why = f"Minor version of node pool version {mine[1]} is bigger than control plane version {above[1]}"
    elif mine > above:
        why = f"Patch version of node pool version {mine[2]} is bigger than control plane version {above[2]}"
    elif mine[1] + 3 < above[1]:
        why = (
            "Minor version of node pool cannot be more than 3 versions less than control plane's minor version"
            f" {above[1]}"
        )
    if why:
        message = (
            f"Node pool version {pool} and control plane version {control_plane} are incompatible. {why}. For more"
            " information, please check https://aka.ms/aks/UpgradeVersionRules"
        )
        raise AksRefusal(400, "NodePoolMcVersionIncompatible", message)


def image(pool: dict[str, Any], date: str = IMAGE_DATES[-1]) -> str:
    """The name of a node image."""
    sku, generation = str(pool.get("osSKU", "Ubuntu")), "gen2"
    kind = "AzureLinux-V3" if sku.startswith(("AzureLinux", "CBLMariner")) else "Ubuntu-2404"
    return f"AKS{kind}{generation}{'containerd' if kind.startswith('Ubuntu') else ''}-{date}"


def listed() -> dict[str, Any]:
    """The answer of ``locations/<l>/kubernetesVersions``."""
    values = []
    for name, patches in PATCHES.items():
        plans = ["KubernetesOfficial", "AKSLongTermSupport"] if name in LONG_TERM else ["KubernetesOfficial"]
        value: dict[str, Any] = {
            "version": name,
            "capabilities": {"supportPlan": plans},
            "patchVersions": {patch: {"upgrades": upgrades(patch)} for patch in patches},
        }
        if name == DEFAULT:
            value["isDefault"] = True
        if name in PREVIEW:
            value["isPreview"] = True
        values.append(value)
    # Newest first, as Azure has it on some days.
    return {"values": values[::-1]}
