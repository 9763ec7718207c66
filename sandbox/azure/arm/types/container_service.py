# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.ContainerService: clusters, their pools and maintenance windows, credentials, versions.

Source: https://learn.microsoft.com/rest/api/aks/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..kinds import Action, Call, ResourceType
from . import _aks_access as access
from . import _aks_actions as actions
from . import _aks_cluster_checks as checks
from . import _aks_clusters as clusters
from . import _aks_maintenance as maintenance
from . import _aks_nodes as nodes
from . import _aks_pool_writes as pool_writes
from . import _aks_pools as pools
from .managed_identity import lower_group

if TYPE_CHECKING:
    pass

CLUSTER = pools.CLUSTER
POOL = pools.POOL
MAINTENANCE = f"{CLUSTER}/maintenanceConfigurations"
VERSIONS = tuple(
    f"{year}-{month:02}-{day}"
    for year, months in (
        (2019, "2 4 6 8 10 11"), (2020, "1 2 3 4 6 7 9 11 12"), (2021, "2 3 5 7 8 9 10"), (2022, "1 2 3 4 6 7 8 9 11"),
        (2023, "1 2 3 4 5 6 7 8 9 10 11"), (2024, "1 2 5 6 7 8 9 10"), (2025, "1 2 3 4 5 6 7 8 9 10"),
        (2026, "1 2 3 4 5 6 7 8"),
    )
    for month in map(int, months.split())
    for day in ("01", "02-preview")
)  # fmt: skip
BUSY = (
    409,
    "OperationNotAllowed",
    (
        "Operation is not allowed: Another operation is in progress, please wait for it to finish before starting a"
        " new operation. See https://aka.ms/aks-pending-operation for more details"
    ),
)
_POOL_ENUMS: dict[str, tuple[str, ...]] = {
    "mode": ("System", "User", "Gateway"),
    "osType": ("Linux", "Windows"),
    "osDiskType": ("Managed", "Ephemeral"),
    "scaleSetPriority": ("Spot", "Regular"),
    "scaleSetEvictionPolicy": ("Delete", "Deallocate"),
    "scaleDownMode": ("Delete", "Deallocate"),
    "gpuInstanceProfile": ("MIG1g", "MIG2g", "MIG3g", "MIG4g", "MIG7g"),
    "osSKU": (
        "Ubuntu", "AzureLinux", "AzureLinux3", "CBLMariner", "Windows2019", "Windows2022", "Ubuntu2204",
        "Windows2025", "Ubuntu2404",
        "AzureContainerLinux",
    ),
}  # fmt: skip


def _pool_ids(call: Call) -> Iterable[str]:
    """A write of a cluster locks its pools."""
    return [pool.id for pool in pools.pools_of(call.cloud, call.target.path)]


_CREDENTIALS = {
    "listClusterUserCredential": access.user,
    "listClusterAdminCredential": access.admin,
    "listClusterMonitoringUserCredential": access.monitoring,
}
ACTIONS = {
    **{f"POST {CLUSTER}/{name}": Action(run, seconds=0.3) for name, run in _CREDENTIALS.items()},
    "GET Microsoft.ContainerService/locations/kubernetesVersions": Action(
        actions.kubernetes_versions, VERSIONS, needs=False
    ),
    f"GET {CLUSTER}/upgradeProfiles": Action(actions.cluster_upgrades),
    f"GET {POOL}/upgradeProfiles": Action(actions.pool_upgrades),
    f"GET {CLUSTER}/availableAgentPoolVersions": Action(actions.available_pool_versions),
    f"POST {CLUSTER}/stop": Action(
        actions.set_state("Stopping", stopped=True),
        seconds=120,
        long=True,
        done=actions.power("Stopped"),
        locks=actions.cluster_and_pools,
    ),
    f"POST {CLUSTER}/start": Action(
        actions.set_state("Starting", stopped=False),
        seconds=180,
        long=True,
        done=actions.power("Running"),
        locks=actions.cluster_and_pools,
    ),
    f"POST {CLUSTER}/rotateClusterCertificates": Action(
        actions.set_state("RotatingClusterCertificates"),
        seconds=300,
        long=True,
        done=actions.succeeded,
        locks=actions.cluster_and_pools,
    ),
    f"POST {POOL}/upgradeNodeImageVersion": Action(
        actions.set_state("UpgradingNodeImageVersion"),
        seconds=120,
        long=True,
        done=actions.new_image,
        locks=lambda call: [call.target.parent],
    ),
    f"POST {CLUSTER}/abort": Action(actions.abort),
    f"POST {POOL}/abort": Action(actions.abort),
}
TYPES = (
    ResourceType(
        CLUSTER,
        versions=VERSIONS,
        model="azure.mgmt.containerservice.models.ManagedCluster",
        tracked=True,
        name_rule=r"[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?",
        name_error=("InvalidParameter", "The value of parameter managedCluster.name is invalid: {name}. Please see "
                    "https://aka.ms/aks-naming-rules for more details."),
        seconds={"PUT": 240.0, "UPDATE": 60.0, "PATCH": 10.0, "DELETE": 240.0},
        long=("PUT", "PATCH", "DELETE"),
        etag=True,
        patch="tags",
        enums={
            "sku.tier": ("Premium", "Standard", "Free"),
            "sku.name": ("Base", "Automatic"),
            "properties.networkProfile.networkPlugin": ("azure", "kubenet", "none"),
            "properties.networkProfile.networkPluginMode": ("overlay",),
            "properties.networkProfile.networkPolicy": ("none", "calico", "azure", "cilium"),
            "properties.networkProfile.networkDataplane": ("azure", "cilium"),
            "properties.networkProfile.loadBalancerSku": ("standard", "basic"),
            "properties.autoUpgradeProfile.upgradeChannel": ("rapid", "stable", "patch", "node-image", "none"),
            "properties.autoUpgradeProfile.nodeOSUpgradeChannel": ("None", "Unmanaged", "NodeImage", "SecurityPatch"),
            **{f"properties.agentPoolProfiles.*.{name}": values for name, values in _POOL_ENUMS.items()},
        },
        write_only=("properties.windowsProfile.adminPassword", "properties.aadProfile.serverAppSecret",
                    "properties.servicePrincipalProfile.secret"),
        siblings=_pool_ids,
        busy=BUSY,
        spell_id=lower_group,
        check=checks.check,
        store=clusters.store,
        answer=clusters.answer,
        done=clusters.done,
        deleted=nodes.gone,
    ),
    ResourceType(
        POOL,
        versions=VERSIONS,
        model="azure.mgmt.containerservice.models.AgentPool",
        methods=("GET", "HEAD", "PUT", "DELETE"),
        name_rule=r".*",
        seconds={"PUT": 150.0, "UPDATE": 30.0, "DELETE": 120.0},
        long=("PUT", "DELETE"),
        etag=True,
        enums={f"properties.{name}": values for name, values in _POOL_ENUMS.items()},
        busy=BUSY,
        spell_id=lower_group,
        check=pool_writes.check,
        store=pool_writes.store,
        answer=pool_writes.answer,
        done=pool_writes.done,
        deletable=pool_writes.deletable,
        deleted=pool_writes.deleted,
    ),
    ResourceType(
        MAINTENANCE,
        versions=VERSIONS,
        model="azure.mgmt.containerservice.models.MaintenanceConfiguration",
        methods=("GET", "HEAD", "PUT", "DELETE"),
        seconds={"PUT": 1.5, "DELETE": 1.0},
        spell_id=lower_group,
        shows_state=False,
        check=maintenance.check,
        store=maintenance.store,
    ),
)  # fmt: skip
