# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Azure's regions, as far as they are offered here: name and display name."""

from __future__ import annotations

REGIONS: dict[str, str] = {
    "eastus": "East US",
    "eastus2": "East US 2",
    "southcentralus": "South Central US",
    "westus2": "West US 2",
    "westus3": "West US 3",
    "australiaeast": "Australia East",
    "southeastasia": "Southeast Asia",
    "northeurope": "North Europe",
    "swedencentral": "Sweden Central",
    "uksouth": "UK South",
    "westeurope": "West Europe",
    "centralus": "Central US",
    "southafricanorth": "South Africa North",
    "centralindia": "Central India",
    "eastasia": "East Asia",
    "japaneast": "Japan East",
    "koreacentral": "Korea Central",
    "canadacentral": "Canada Central",
    "francecentral": "France Central",
    "germanywestcentral": "Germany West Central",
    "italynorth": "Italy North",
    "norwayeast": "Norway East",
    "polandcentral": "Poland Central",
    "spaincentral": "Spain Central",
    "switzerlandnorth": "Switzerland North",
    "uaenorth": "UAE North",
    "brazilsouth": "Brazil South",
    "westus": "West US",
    "northcentralus": "North Central US",
}


def normal(location: str) -> str:
    """``West Europe`` and ``WestEurope`` are ``westeurope``."""
    return location.replace(" ", "").lower()


def display(location: str) -> str:
    """``westeurope`` is shown as ``West Europe``."""
    return REGIONS.get(normal(location), location)
