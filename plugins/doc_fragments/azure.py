# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that talks to Azure."""

    DOCUMENTATION = r"""
options:
  subscription_id:
    description:
      - The subscription.
      - Without it, the environment variable E(AZURE_SUBSCRIPTION_ID).
    type: str
  tenant_id:
    description:
      - The tenant of the service principal, or of the workload identity.
      - Without it, the environment variable E(AZURE_TENANT_ID), otherwise E(AZURE_TENANT), which AWX sets.
    type: str
  client_id:
    description:
      - The application id of the service principal, or the client id of a managed identity or workload identity.
      - Without it, the environment variable E(AZURE_CLIENT_ID).
    type: str
  client_secret:
    description:
      - The service principal's secret.
      - Without it, the environment variable E(AZURE_CLIENT_SECRET), otherwise E(AZURE_SECRET), which AWX sets.
      - When neither is there, azure-identity's default chain looks for a credential, in the environment, as workload
        identity, as managed identity, and with the logins of C(az), C(azd) and PowerShell.
    type: str
  cloud:
    description:
      - The cloud, by the name that C(az cloud list) gives it.
      - Without it, the environment variable E(AZURE_CLOUD_ENVIRONMENT).
    type: str
    choices: [AzureCloud, AzureChinaCloud, AzureUSGovernment]
    default: AzureCloud
requirements:
  - azure-identity >= 1.25
  - azure-mgmt-core >= 1.6
notes:
  - Proxies and CA bundles are those of the environment, E(HTTPS_PROXY), E(NO_PROXY) and E(REQUESTS_CA_BUNDLE).
"""
