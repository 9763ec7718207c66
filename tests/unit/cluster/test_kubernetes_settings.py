# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_settings import check_settings
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

VOLUME = {"name": "driven-data", "mount_path": "/driven-data", "share": "data", "read_only": True}


def test_what_is_written_well() -> None:
    check_settings({}, None)
    check_settings(
        {
            "daskhub_ingress": {"enabled": True, "class": "nginx", "annotations": {"a/b": "true"}, "tls_secret": None},
            "daskhub_resources": {"hub": {"cpu": 1, "memory": "1.5Gi"}, "small": {"cpu": "10m"}},
            "daskhub_data_volumes": [VOLUME, {"name": "tiles", "mount_path": "/tiles", "claim": "tiles"}],
            "daskhub_http_route": {"enabled": True, "gateway": {"name": "shared", "namespace": "gateways"}},
            "daskhub_dask_gateway_public": {"enabled": True, "port": 443, "allowed_sources": ["192.0.2.0/24"]},
            # What YAML reads as a number is a tag here.
            "daskhub_hub_image": "example.org:5000/hub:1e3",
        },
        {"driven-data": "driven-data-file-share"},
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("daskhub_ingress", {"enable": True}, 'daskhub_ingress has the unknown key "enable"; did you mean "enabled"?'),
        ("daskhub_ingress", {"enabled": "yes"}, 'enabled is the text "yes"; write true or false.'),
        (
            "daskhub_ingress",
            {"annotations": {"a": True}},
            'annotations.a is the boolean true; write a text, in quotes, such as "true".',
        ),
        ("daskhub_http_route", {"gateways": {}}, 'daskhub_http_route has the unknown key "gateways"; did you mean'),
        (
            "daskhub_http_route",
            {"gateway": "shared"},
            'gateway is the text "shared"; write a mapping with keys such as',
        ),
        ("daskhub_http_route", {"gateway": {"name": 1}}, "gateway.name is the number 1; write a text, in quotes"),
        ("daskhub_dask_gateway_public", {"port": "443"}, 'port is the text "443"; write a port such as 443.'),
        (
            "daskhub_dask_gateway_public",
            {"allowed_sources": ["192.0.2.1/24"]},
            'allowed_sources[0] is the text "192.0.2.1/24"; write a range such as 192.0.2.0/24.',
        ),
        ("daskhub_resources", {"hubs": {}}, 'daskhub_resources has the unknown key "hubs"; did you mean "hub"?'),
        (
            "daskhub_resources",
            {"hub": {"cpus": 1}},
            'daskhub_resources: hub has the unknown key "cpus"; did you mean "cpu"?',
        ),
        (
            "daskhub_resources",
            {"hub": {"memory": "1 GB"}},
            'hub.memory is the text "1 GB"; write an amount as Kubernetes writes it',
        ),
        (
            "daskhub_data_volumes",
            [{**VOLUME, "path": "/x"}],
            'daskhub_data_volumes[0] "driven-data" has the unknown key "path"; known are name, mount_path',
        ),
        ("daskhub_data_volumes", [VOLUME, VOLUME], "has the name of another one; give each a name of its own."),
        ("daskhub_data_volumes", [{**VOLUME, "mount_path": "data"}], 'write an absolute path such as "/data".'),
        (
            "daskhub_data_volumes",
            [{**VOLUME, "name": "maps"}],
            "has no Secret with the key of its share; name it in secrets_data_volumes too",
        ),
        ("daskhub_data_volumes", [{**VOLUME, "claim": "tiles"}], "has both claim and share; keep one of them."),
        (
            "daskhub_data_volumes",
            [{"name": "tiles", "mount_path": "/tiles", "claim": "Tiles"}],
            'claim is the text "Tiles"; write the name of a PersistentVolumeClaim in the hub\'s namespace.',
        ),
        (
            "daskhub_hub_image",
            "example.org:5000/hub",
            'which has no tag; add one, as in "example.org:5000/hub:2026.1".',
        ),
    ],
)
def test_one_sentence(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(InputError) as found:
        check_settings({name: value}, {"driven-data": "driven-data-file-share"})
    assert sentence in str(found.value) and name in str(found.value)
