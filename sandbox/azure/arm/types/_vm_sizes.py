# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Sizes of virtual machines as Microsoft.Compute/skus knows them; one row each.

Source: https://learn.microsoft.com/azure/virtual-machines/sizes/overview and the answers of ``az vm list-skus``.
"""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1024


@dataclass(frozen=True)
class Size:
    """One size.

    :ivar family: the name of its quota
    :ivar memory: GiB; ``temporary`` the temporary disk in MiB; ``cache`` the cache in GiB, 0 for none
    :ivar ephemeral: the OS disk may be ephemeral
    :ivar regions: where it is offered; empty for everywhere
    """

    name: str
    family: str
    cores: int
    memory: float
    temporary: int
    cache: int = 0
    ephemeral: bool = False
    gpus: int = 0
    premium: bool = True
    disks: int = 4
    generations: str = "V1,V2"
    architecture: str = "x64"
    accelerated: bool = True
    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ("1", "2", "3")
    low_priority: bool = True

    @property
    def tier(self) -> str:
        return self.name.partition("_")[0]

    @property
    def os_disk(self) -> int:
        """GiB of the largest ephemeral OS disk."""
        return max(self.cache, self.temporary // GIB)


_A100 = ("westeurope", "eastus", "eastus2", "southcentralus", "westus2", "westus3", "southeastasia", "swedencentral")
_H100 = ("eastus2", "southcentralus", "westus3", "swedencentral", "westeurope")
_T4 = (
    "westeurope", "northeurope", "eastus", "eastus2", "southcentralus", "westus2", "westus3", "southeastasia",
    "uksouth",
    "australiaeast", "centralindia", "japaneast", "koreacentral", "swedencentral", "germanywestcentral", "brazilsouth",
    "centralus", "switzerlandnorth", "westus", "northcentralus",
)  # fmt: skip


def _series(
    pattern: str, family: str, cores: tuple[int, ...], memory: float, temporary: int, cache: float = 0, **more: object
) -> list[Size]:
    """Sizes of one series, all in proportion to their cores: GiB of memory, MiB of disk, GiB of cache for each core."""
    return [
        Size(
            pattern.format(count), family, count, count * memory, count * temporary, int(count * cache),
            disks=min(2 * count, 32),
            **more,  # type: ignore[arg-type]
        )
        for count in cores
    ]  # fmt: skip


_COMMON = (2, 4, 8, 16, 32)
_ROWS: tuple[Size, ...] = (
    *(
        Size(f"Standard_A{cores}_v2", "standardAv2Family", cores, cores * 2, cores * 10240, premium=False,
             disks=2 * cores,
             generations="V1", accelerated=False)
        for cores in (1, 2, 4, 8)
    ),
    Size("Standard_B2s", "standardBSFamily", 2, 4, 8192, 30, True, disks=4, accelerated=False, low_priority=False),
    Size("Standard_B2ms", "standardBSFamily", 2, 8, 16384, 30, True, disks=4, accelerated=False, low_priority=False),
    Size("Standard_B4ms", "standardBSFamily", 4, 16, 32768, 30, True, disks=8, accelerated=False, low_priority=False),
    Size("Standard_B8ms", "standardBSFamily", 8, 32, 65536, 30, True, disks=16, accelerated=False, low_priority=False),
    *_series("Standard_B{}s_v2", "StandardBsv2Family", (2, 4, 8, 16), 4, 0, low_priority=False),
    Size("Standard_DS2_v2", "standardDSv2Family", 2, 7, 14336, 86, True, disks=8),
    Size("Standard_DS3_v2", "standardDSv2Family", 4, 14, 28672, 172, True, disks=16),
    Size("Standard_DS4_v2", "standardDSv2Family", 8, 28, 57344, 344, True, disks=32),
    *_series("Standard_D{}_v3", "standardDv3Family", _COMMON, 4, 25600, premium=False, generations="V1"),
    *_series("Standard_D{}s_v3", "standardDSv3Family", _COMMON, 4, 8192, 25, ephemeral=True),
    *_series("Standard_D{}s_v4", "standardDSv4Family", _COMMON, 4, 0),
    *_series("Standard_D{}ds_v4", "standardDDSv4Family", _COMMON, 4, 38400, 25, ephemeral=True),
    *_series("Standard_D{}s_v5", "standardDSv5Family", _COMMON, 4, 0),
    *_series("Standard_D{}ds_v5", "standardDDSv5Family", _COMMON, 4, 38400, 25, ephemeral=True),
    *_series("Standard_D{}as_v5", "standardDASv5Family", _COMMON, 4, 0),
    *_series("Standard_D{}ads_v5", "standardDADSv5Family", _COMMON, 4, 38400, 25, ephemeral=True),
    *_series("Standard_D{}ps_v5", "standardDPSv5Family", _COMMON, 4, 0, architecture="Arm64", generations="V2"),
    *_series("Standard_D{}s_v6", "StandardDsv6Family", _COMMON, 4, 0, generations="V2"),
    *_series("Standard_D{}ds_v6", "StandardDdsv6Family", _COMMON, 4, 56320, ephemeral=True, generations="V2"),
    *_series("Standard_E{}_v3", "standardEv3Family", _COMMON, 8, 25600, premium=False, generations="V1"),
    *_series("Standard_E{}s_v3", "standardESv3Family", _COMMON, 8, 16384, 25, ephemeral=True),
    *_series("Standard_E{}s_v4", "standardESv4Family", _COMMON, 8, 0),
    *_series("Standard_E{}ds_v4", "standardEDSv4Family", _COMMON, 8, 38400, 25, ephemeral=True),
    *_series("Standard_E{}s_v5", "standardESv5Family", _COMMON, 8, 0),
    *_series("Standard_E{}ds_v5", "standardEDSv5Family", _COMMON, 8, 38400, 25, ephemeral=True),
    *_series("Standard_E{}as_v5", "standardEASv5Family", _COMMON, 8, 0),
    *_series("Standard_E{}s_v6", "StandardEsv6Family", _COMMON, 8, 0, generations="V2"),
    *_series("Standard_E{}ds_v6", "StandardEdsv6Family", _COMMON, 8, 56320, ephemeral=True, generations="V2"),
    *_series("Standard_F{}s_v2", "standardFSv2Family", _COMMON, 2, 8192, 16, ephemeral=True),
    *(
        Size(f"Standard_NC{cores}as_T4_v3", "Standard NCASv3_T4 Family", cores, memory, disk, cache, True, gpus,
             disks=8,
             regions=_T4, zones=("1", "2"))
        for cores, memory, disk, cache, gpus in ((4, 28, 180224, 0, 1), (8, 56, 368640, 0, 1), (16, 110, 368640, 0, 1),
                                                 (64, 440, 2883584, 0, 4))
    ),
    *(
        Size(f"Standard_NC{24 * count}ads_A100_v4", "StandardNCADSA100v4Family", 24 * count, 220 * count,
             65536 * count, 128 * count,
             True, count, disks=8 * count, generations="V2", regions=_A100, zones=("2",))
        for count in (1, 2, 4)
    ),
    *(
        Size(f"Standard_NC{40 * count}ads_H100_v5", "StandardNCadsH100v5Family", 40 * count, 320 * count,
             131072 * count, 256 * count,
             True, count, disks=8 * count, generations="V2", regions=_H100, zones=("1", "3"))
        for count in (1, 2)
    ),
)  # fmt: skip

SIZES: dict[str, Size] = {size.name.lower(): size for size in _ROWS}
#: Regions without availability zones.
ZONELESS = ("westus", "northcentralus")


def find(name: str) -> Size | None:
    """The size of a name, in any case."""
    return SIZES.get(name.lower())


def offered(size: Size, location: str) -> bool:
    """Whether a region has the size."""
    return not size.regions or location in size.regions


def zones_of(size: Size, location: str) -> tuple[str, ...]:
    """The zones of a region in which the size can be had."""
    return () if location in ZONELESS else size.zones
