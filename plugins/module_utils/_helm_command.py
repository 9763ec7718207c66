# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Helm itself: started with a kubeconfig, and what it says, in one sentence with what to do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

LIMIT = 180.0  # seconds for a dry run; usually 2
Process = subprocess.Popen[str]
# It lives for a second: to collect garbage less often takes a sixth of that away.
BRIEF = {"GOGC": "400"}
UNKNOWN = "no matches for kind"
# What Helm or the API server says (from the sources of helm 3.20 and seen), what it means, and the way out.
MEANINGS = (
    (
        r"namespace \S* ?because it is being terminated|is being terminated",
        "the namespace {namespace} is being deleted; wait until it is gone, or name another one in hub_namespace",
    ),
    (
        r"(?P<what>\S+ (?:\"[^\"]*\" )?is forbidden: User \"[^\"]*\" cannot [^\n]*?)(?:\n|$)",
        '{what}; give it that right, or in AKS the role "Azure Kubernetes Service RBAC Cluster Admin"',
    ),
    (
        r"Unauthorized|the server has asked for the client to provide credentials",
        "the cluster does not accept the credentials of the kubeconfig; make a new one",
    ),
    (
        r"Kubernetes cluster unreachable: (?P<what>[^\n]*)",
        "the cluster cannot be reached ({what}); is it running, and may this machine reach its API server",
    ),
    (
        r"chart requires kubeVersion: (?P<what>[^\n]*)",
        "the chart needs Kubernetes {what}; upgrade the cluster, or name an older chart in daskhub_chart_ref",
    ),
    (
        r"(?:path|repo) \"?(?P<what>[^\"\n]*)\"? not found|(?P<which>\S+): not found|no such file or directory"
        r"|failed to download|Chart\.yaml file is missing",
        "the chart {chart} is not found; set daskhub_chart_ref to a folder, a packaged chart or a chart of a registry"
        " that is there",
    ),
    (
        r"no matches for kind (?P<what>\"[^\"]*\" in version \"[^\"]*\")",
        "the cluster does not know the kind {what}, which Helm brings with a first installation only; apply the files"
        " of the folder crds of the chart {chart}",
    ),
    (
        r"another operation \(install/upgrade/rollback\) is in progress",
        "another run of Helm is at work on the release {release}; wait for its end",
    ),
    (
        r"invalid ownership metadata[^\n]*|exists and cannot be imported into the current release: (?P<what>[^\n]*)",
        "there is an object in the namespace {namespace} that the release {release} would have to take over from"
        " somebody else ({what}); uninstall the release that it belongs to, or delete it",
    ),
    (
        r"values don't meet the specifications of the schema\(s\)[^\n]*\n(?P<what>.*)",
        "the values are not what the chart takes ({what}); correct them where they are set, in daskhub_values or the"
        " variables of the roles",
    ),
    (
        r"error validating data: (?P<what>[^\n]*)",
        "Kubernetes does not take what the chart {chart} makes of the values ({what}); correct them where they are set,"
        " in daskhub_values or the variables of the roles",
    ),
    (
        r"(?P<what>[^\n]*): field is immutable|cannot patch (?P<which>[^\n]*)",
        "Kubernetes does not change what is there into what is wanted ({what}); delete that object and run this again",
    ),
    (
        r"context deadline exceeded|timed out waiting for the condition|context canceled",
        "not everything became ready in time",
    ),
)


class HelmError(Exception):
    """What Helm refused, in one sentence without a full stop."""


class KindUnknown(HelmError):
    """The cluster does not know a kind of object."""


def meaning(said: str, names: Mapping[str, str]) -> str:
    """What Helm's words mean, and what to do.

    :param said: its standard error
    :param names: release, namespace and chart, for the sentence

    >>> meaning("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", {"release": "r"})
    'another run of Helm is at work on the release r; wait for its end'
    """
    for pattern, sentence in MEANINGS:
        found = re.search(pattern, said, re.DOTALL if "schema" in pattern else 0)
        if found:
            groups = found.groupdict()
            what = " ".join((groups.get("what") or groups.get("which") or found[0]).split())
            return sentence.format_map(
                {"chart": "", "namespace": "", "release": "", **names, "what": what.rstrip(". ")}
            )
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("WARNING")]
    return " ".join(" ".join(lines[-3:]).removeprefix("Error: ").split()).rstrip(". ") or "it gave no reason"


class Helm:
    """Helm with the kubeconfig and the namespace of a module's options.

    :param options: kubeconfig, context, release, namespace, helm (program, empty: the one on PATH)
    :raises InputError: when the program is not there
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        wanted = options.get("binary_path") or "helm"
        program = shutil.which(os.path.expanduser(wanted))
        if program is None:
            raise InputError(
                f"The program {wanted} is not found; install Helm 3.17 or later, or say where it is in daskhub_helm."
            )
        self._program = program
        self._options = options
        self._environment = {**BRIEF, **os.environ}
        kubeconfig, context = options.get("kubeconfig"), options.get("context")
        if kubeconfig:
            self._environment["KUBECONFIG"] = os.path.expanduser(kubeconfig)
        if context:
            self._environment["HELM_KUBECONTEXT"] = context

    @property
    def names(self) -> dict[str, str]:
        """For sentences."""
        return {name: str(self._options.get(name) or "") for name in ("release", "namespace", "chart")}

    def start(self, *arguments: str) -> Process:
        """Start it on the namespace."""
        # run_command waits, and Helm renders while the cluster is asked.
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            [self._program, *arguments, "--namespace", str(self._options["namespace"])],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start_dry_run(self, chart: str, values: str) -> Process:
        """Begin to ask what an upgrade (or, without a release, an installation) would lead to, on the server."""
        return self.start(
            *("upgrade", str(self._options["release"]), os.path.expanduser(chart), "--install", "--reset-values"),
            *("--values", os.path.expanduser(values), "--dry-run=server", "--output=json"),
            # Half of the time, and it finds nothing any more: it leaves that to servers, which all Kubernetes >= 1.27
            # do themselves (https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation).
            "--disable-openapi-validation",
        )

    def release_of(self, process: Process) -> dict[str, Any]:
        """The release that a dry run leads to.

        :raises HelmError: when it leads to none
        """
        output, said = self.ended(process, LIMIT)
        try:
            found: dict[str, Any] = json.loads(output[output.index("{") :])
        except ValueError:
            raise HelmError(meaning(said or output, self.names)) from None
        return found

    def rendered(self, chart: str, values: str, version: str) -> dict[str, Any]:
        """The release without a cluster's say: of a first installation that brings kinds of objects with it.

        :param version: of the cluster's Kubernetes, such as 1.35; Helm itself would take the one it was built with
        :raises HelmError: when there is none
        """
        words = ("template", str(self._options["release"]), os.path.expanduser(chart), "--kube-version", version)
        output, _said = self.ended(self.start(*words, "--values", os.path.expanduser(values)), LIMIT)
        name, _dash, version = os.path.basename(chart).removesuffix(".tgz").rpartition("-")
        return {"manifest": output, "chart": {"metadata": {"name": name, "version": version}}}

    def ended(self, process: Process, limit: float) -> tuple[str, str]:
        """Both streams of what has ended well.

        :raises HelmError: when it did not
        """
        try:
            output, said = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise HelmError(f"Helm gave no answer in {limit:.0f} s") from None
        if process.returncode != 0:
            raise (KindUnknown if UNKNOWN in said else HelmError)(meaning(said, self.names))
        return output, said


def at_work(release: str, namespace: str, processes: Path = Path("/proc")) -> Iterator[int]:
    """The numbers of the processes of this machine in which Helm works on a release of that name and namespace.

    Whoever kills a play leaves Helm behind, which goes on. Systems without /proc tell nothing.
    """
    for place in processes.glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
            environment = (place / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if os.path.basename(command[0]) != "helm" or release not in command:
            continue
        if f"HELM_NAMESPACE={namespace}" in environment and {"upgrade", "install", "rollback"} & {*command}:
            yield int(place.name)
