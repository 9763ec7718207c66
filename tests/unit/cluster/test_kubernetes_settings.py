# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_settings import check_settings
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

ACME = {
    "daskhub_https": "letsencrypt",
    "daskhub_https_contact_email": "ops@example.org",
    "daskhub_https_acme_server": "https://acme.example.org/directory",
}
VOLUME = {"name": "driven-data", "mount_path": "/driven-data", "share": "data", "read_only": True}


def test_what_is_written_well() -> None:
    check_settings({}, None)
    check_settings(
        {
            "daskhub_ingress": {"enabled": True, "class": "nginx", "annotations": {"a/b": "true"}, "tls_secret": None},
            "daskhub_url": "https://hub.example.org:8443/compute",
            "daskhub_base_url": "/compute/",
            "daskhub_https": "offload",
            "daskhub_https_hosts": ["hub.example.org"],
            "daskhub_shared_memory": "8Gi",
            "daskhub_home_snapshots_schedule": "@daily",
            # Ansible takes a number in quotes for one.
            "daskhub_start_timeout": "1200",
            "daskhub_resources": {"hub": {"cpu": 1, "memory": "1.5Gi"}, "small": {"cpu": "10m"}},
            "daskhub_data_volumes": [VOLUME, {"name": "tiles", "mount_path": "/tiles", "claim": "tiles"}],
            "daskhub_http_route": {"enabled": False, "gateway": {"name": "shared", "namespace": "gateways"}},
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
        ("daskhub_base_url", "/compute", 'is the text "/compute"; write a path with a slash at both ends'),
        ("daskhub_release", "Dask_Hub", "write at most 53 lowercase letters, digits and hyphens"),
        ("daskhub_test_user", "", "is the empty text; write the name of a user without spaces."),
        ("daskhub_shared_memory", "half", 'is the text "half"; write enabled, a size such as 8Gi, or nothing.'),
        ("daskhub_home_size", "15 GB", "write a size as Kubernetes does, such as 15Gi."),
        ("daskhub_database_copy_schedule", "hourly", "write the five fields of cron"),
        ("daskhub_deploy_timeout", 0, "is the number 0; write a whole number from 1 on."),
        ("daskhub_start_timeout", -5, "write a whole number from 1 on."),
        ("daskhub_placeholders", -1, "write a whole number from 0 on."),
        ("daskhub_chart_repositories", {"jupyterhub": "x"}, "has the keys jupyterhub; write where"),
        ("daskhub_service_annotations", {"internal": True}, "internal is the boolean true; write a text, in quotes"),
        ("daskhub_url", "hub.example.org", "write an address such as https://hub.example.org/."),
        ("daskhub_url", "https://hub example/", "write an address such as https://hub.example.org/."),
        ("daskhub_url", "https://hub.example.org:a/", "write an address such as https://hub.example.org/."),
        ("daskhub_url", "https://hub.example.org/?next=x", "write no more than scheme, host, port and path"),
        ("daskhub_url", "https://hub.example.org/compute/", 'but daskhub_base_url is "/"; write the same path'),
        ("daskhub_https_hosts", ["https://hub.example.org"], "daskhub_https_hosts[0] is the text"),
        ("daskhub_http_route", {"enabled": True}, "is on, but names no gateway"),
        ("daskhub_dask_gateway_public", {"enabled": True}, "but daskhub_https is none; people's tokens would cross"),
    ],
)
def test_one_sentence(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(InputError) as found:
        check_settings({name: value}, {"driven-data": "driven-data-file-share"})
    assert sentence in str(found.value) and name in str(found.value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"daskhub_service_type": "LoadBalancer", "daskhub_ingress": {"enabled": True}},
            "The hub would be open in two places: daskhub_service_type is LoadBalancer, daskhub_ingress is on",
        ),
        (
            {"daskhub_https": "secret", "daskhub_ingress": {"enabled": True}},
            "daskhub_https is secret, but daskhub_ingress is what people reach; write offload",
        ),
        (
            {"daskhub_https": "letsencrypt"},
            'daskhub_https is letsencrypt, and daskhub_https_contact_email is ""; write the e-mail address',
        ),
        (ACME | {"daskhub_https_acme_server": "letsencrypt"}, "write the address of an ACME directory"),
        (ACME, "daskhub_https is letsencrypt, but the hub has no name; write daskhub_url, or daskhub_https_hosts."),
    ],
)
def test_settings_that_do_not_go_together(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as found:
        check_settings(settings)
    assert sentence in str(found.value)


def test_azure_gives_the_hub_its_name_later() -> None:
    check_settings(ACME, address_later=True)
    check_settings(ACME | {"daskhub_url": "https://hub.example.org/"})
