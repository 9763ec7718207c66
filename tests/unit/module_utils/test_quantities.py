# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._quantities import cores, gibibytes, memory, readable
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

GIB = 2**30


@pytest.mark.parametrize("value", [1, 4, 0.5, 0.1, 1.75])
def test_cores(value: float) -> None:
    assert cores("x: cores", value) == value


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (0, "the number 0"),
        (-1, "the number -1"),
        ("4", 'the text "4"'),
        ("500m", 'the text "500m"'),
        (True, "the boolean true"),
        (None, "empty"),
        ([], "a list of nothing"),
        (float("nan"), "the number nan"),
        (float("inf"), "the number inf"),
    ],
)
def test_cores_refused(value: Any, found: str) -> None:
    with pytest.raises(InputError) as error:
        cores("x: cores", value)
    assert str(error.value) == f"x: cores is {found}; write a number of cores such as 4 or 0.5."


@pytest.mark.parametrize(
    ("value", "size"),
    [("1K", 1024), ("512M", 512 * 2**20), ("32G", 32 * GIB), ("1.5G", 3 * GIB // 2), ("2T", 2048 * GIB)],
)
def test_memory(value: str, size: int) -> None:
    assert memory("x: memory", value) == size


def test_memory_is_read_as_kubespawner_and_dask_gateway_read_it() -> None:
    jupyterhub = pytest.importorskip("jupyterhub.traitlets", reason="JupyterHub is not installed here")
    gateway = pytest.importorskip("dask_gateway_server.traitlets", reason="dask-gateway-server is not installed here")
    for value in ("1K", "512M", "25G", "1.5G", "0.5T"):
        size = memory("x", value)
        assert jupyterhub.ByteSpecification().validate(None, value) == size
        assert gateway.MemoryLimit().validate(None, value) == size


@pytest.mark.parametrize(
    "value", [32, 1.5, "32", "32Gi", "32 G", "32g", "32GB", "-1G", "0G", "nanG", "1e3G", "G", "", None, True, ["32G"]]
)
def test_memory_refused(value: Any) -> None:
    with pytest.raises(InputError) as error:
        memory("x: memory", value)
    assert str(error.value).startswith("x: memory is ")
    assert str(error.value).endswith('; write an amount with the unit K, M, G or T, such as "32G".')


@pytest.mark.parametrize(("value", "size"), [(8, 8 * GIB), (0.5, GIB // 2), ("512M", GIB // 2), ("10G", 10 * GIB)])
def test_gibibytes(value: Any, size: int) -> None:
    assert gibibytes("x", value) == size


@pytest.mark.parametrize("value", [0, -1, True, "8", None, float("nan")])
def test_gibibytes_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"^x is .*; write an? .*such as .*\.$"):
        gibibytes("x", value)


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1K"), (26 * GIB, "26G"), (GIB * 3 // 2, "1.5G"), (2048 * GIB, "2T")],
)
def test_readable(size: int, shown: str) -> None:
    assert readable(size) == shown
