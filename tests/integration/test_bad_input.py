# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Input that cannot work is refused with one sentence, before anything is written or started."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from living_hub import LivingHub


def profile(**more: Any) -> dict[str, Any]:
    return {"name": "plain", "image": "a:1", "cores": {"limit": 1}, "memory": {"limit": "1G"}, **more}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"daskhub_base_url": "compute"},
            'daskhub_base_url is the text "compute"; write a path with a slash at both ends',
        ),
        ({"daskhub_local_python": "no-such-python"}, "daskhub_local_python is no-such-python, which cannot be run"),
        ({"daskhub_local_minimum_free_disk": "9999T"}, "asks for 9999T; free some space or choose another directory"),
        ({"daskhub_local_hub_port": 9, "daskhub_local_gateway_port": 9}, "Two services have the same port"),
        ({"hub_local_directory": f"/tmp/{'long' * 30}"}, "choose a shorter path"),
        ({"hub_local_directory": "hub"}, 'daskhub_local_directory is "hub"; write an absolute path, such as /srv/hub.'),
        ({"hub_service_account": "Hub_SA"}, 'secrets_service_account is "Hub_SA"; write at most 253 lowercase letters'),
        ({"hub_azure": "perhaps"}, 'hub_azure is the text "perhaps"; write true or false.'),
        ({"daskhub_test_user": ""}, "daskhub_test_user is the empty text; write the name of a user without spaces."),
        ({"daskhub_profiles": [profile(cores={"limit": 999})]}, "it needs 999 cores"),
        ({"daskhub_profiles": [profile(image="a")]}, 'daskhub_profiles[0] "plain"'),
        ({"daskhub_profiles": [profile(default=True), profile(name="other", default=True)]}, '"other"'),
        ({"daskhub_profiles": [profile(colour="red")]}, "colour"),
        ({"ui_logo": "/no/such/logo.svg"}, "ui_logo is /no/such/logo.svg, which is no image file"),
        ({"ui_links": [{"label": "Docs", "url": "docs"}]}, 'The link "Docs" of ui_links has the url "docs"'),
        ({"daskhub_platform": "docker"}, 'daskhub_platform is the text "docker"; write local or kubernetes.'),
        ({"daskhub_profile": []}, "daskhub_profiles"),
        ({"hub_authentication": {"type": "shared-password"}}, "daskhub_authentication lets nobody enter; name them in"),
    ],
)
def test_one_sentence_and_nothing_written(variables: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    hub = LivingHub(tmp_path / "hub")
    done = hub.playbook("site.yml", check=False, **variables)
    message = " ".join(re.sub(r"\\?\"", '"', done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert sentence in message
    assert "Traceback" not in message
    assert not hub.directory.exists()


def test_a_taken_port_is_said_before_anything_is_started(tmp_path: Path) -> None:
    hub = LivingHub(tmp_path / "hub")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = hub.playbook("playbooks/daskhub.yml", check=False, daskhub_local_port=port)
    assert f"Another program listens on port {port}; stop it, or set daskhub_local_port to a free port" in " ".join(
        done.stdout.split()
    )
    assert not hub.directory.exists()
