# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The peer: the same resources, as they are, by tasks of azure.azcollection, one after another as its users write them.

Where the collection has a module of the type it is used, with what Azure answers as its arguments; otherwise its
generic ``azure_rm_resource``. Both read the resource and find nothing, or little, to change.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parent.parent
LIMIT = 1800

Task = dict[str, Any]
Resource = Mapping[str, Any]


def part(resource: Resource, name: str) -> str:
    """What follows a word in the id, such as the name of the resource group."""
    words = str(resource["id"]).split("/")
    folded = [word.lower() for word in words]
    return words[folded.index(name.lower()) + 1]


def group(resource: Resource) -> Task:
    return {"name": resource["name"], "location": resource["location"]}


def network(resource: Resource) -> Task:
    prefixes = resource["properties"]["addressSpace"]["addressPrefixes"]
    return {**named(resource), "address_prefixes_cidr": prefixes}


def subnet(resource: Resource) -> Task:
    properties = resource["properties"]
    prefix = properties.get("addressPrefix") or properties["addressPrefixes"][0]
    return {
        **named(resource),
        "virtual_network_name": part(resource, "virtualNetworks"),
        "address_prefix_cidr": prefix,
        "security_group": (properties.get("networkSecurityGroup") or {}).get("id"),
    }


def named(resource: Resource) -> Task:
    return {"resource_group": part(resource, "resourceGroups"), "name": resource["name"]}


def registry(resource: Resource) -> Task:
    return {**named(resource), "location": resource["location"], "sku": resource["sku"]["name"]}


def vault(resource: Resource) -> Task:
    return {
        "resource_group": part(resource, "resourceGroups"),
        "vault_name": resource["name"],
        "vault_tenant": resource["properties"]["tenantId"],
        "enable_rbac_authorization": True,
        "enable_purge_protection": True,
        "sku": {"name": "standard", "family": "A"},
    }


def storage(resource: Resource) -> Task:
    return {**named(resource), "account_type": resource["sku"]["name"], "kind": resource["kind"]}


def public_ip(resource: Resource) -> Task:
    label = (resource["properties"].get("dnsSettings") or {}).get("domainNameLabel")
    return {**named(resource), "allocation_method": "Static", "sku": "standard", "domain_name": label}


MODULES: dict[str, tuple[str, Callable[[Resource], Task]]] = {
    "microsoft.resources/resourcegroups": ("azure_rm_resourcegroup", group),
    "microsoft.network/virtualnetworks": ("azure_rm_virtualnetwork", network),
    "microsoft.network/virtualnetworks/subnets": ("azure_rm_subnet", subnet),
    "microsoft.network/networksecuritygroups": ("azure_rm_securitygroup", named),
    "microsoft.network/publicipaddresses": ("azure_rm_publicipaddress", public_ip),
    "microsoft.containerregistry/registries": ("azure_rm_containerregistry", registry),
    "microsoft.storage/storageaccounts": ("azure_rm_storageaccount", storage),
    "microsoft.keyvault/vaults": ("azure_rm_keyvault", vault),
}


def task(resource: Resource, versions: Mapping[str, str]) -> Task:
    """One task for one resource."""
    found = MODULES.get(str(resource.get("type", "")).lower())
    if found:
        module, arguments = found
        return {"name": resource["id"], f"azure.azcollection.{module}": arguments(resource)}
    body = {key: resource[key] for key in ("location", "properties", "tags", "sku", "identity") if key in resource}
    arguments_of_any = {
        "url": resource["id"],
        "api_version": versions[str(resource["id"]).lower()],
        "body": body,
        "idempotency": True,
    }
    return {"name": resource["id"], "azure.azcollection.azure_rm_resource": arguments_of_any}


def seconds(environment: Path, variables: Mapping[str, str], resources: list[dict[str, Any]], folder: Path) -> float:
    """Seconds of one run of a playbook with a task for each resource, when there is nothing left to change."""
    folder.mkdir(parents=True)
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": [task(resource, {r["id"].lower(): r["apiVersion"] for r in resources}) for resource in resources],
    }
    book = folder / "peer.yml"
    book.write_text(yaml.safe_dump([play]), encoding="utf-8")
    (folder / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    settings = {
        **os.environ,
        **variables,
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_PYTHON_INTERPRETER": str(environment / "bin/python"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    settings["PATH"] = f"{environment / 'bin'}{os.pathsep}{settings['PATH']}"
    command = [str(environment / "bin/ansible-playbook"), str(book), "-i", "localhost,"]
    start = time.monotonic()
    done = subprocess.run(command, env=settings, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    took = time.monotonic() - start
    if done.returncode:
        sys.exit(f"azure.azcollection failed in the benchmark:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return took
