# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Environment variables of every user's server, read anew from user_environment.json.

Values reach the notebook as written, whatever is on their way: KubeSpawner formats them as Python templates, and
Kubernetes expands $(NAME) and turns $$ into $.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from kubespawner import KubeSpawner

from hub_extensions.data_files import DataFile

USER_ENVIRONMENT = DataFile("user_environment.json", dict)


def notebook_environment() -> dict[str, str]:
    """The variables for notebooks, values as written."""
    return dict(USER_ENVIRONMENT.read().get("notebook", {}))


def set_environment(spawner: Any) -> None:
    """Put the variables into a spawner's environment; to be called before each start.

    They win over the environment configured for everybody; a profile's own are applied later and win over them.
    """
    variables = for_kubernetes(spawner, for_kubespawner(spawner, notebook_environment()))
    spawner.environment = {**spawner.environment, **variables}


def for_kubespawner(spawner: Any, variables: dict[str, str]) -> dict[str, str]:
    """Write values so that they come out of KubeSpawner, on either platform, as they went in."""
    if not isinstance(spawner, KubeSpawner):
        return variables
    return {name: value.replace("{", "{{").replace("}", "}}") for name, value in variables.items()}


def for_kubernetes(spawner: Any, variables: dict[str, str]) -> dict[str, str]:
    """Write values so that they come out of Kubernetes as they went in; processes get them as they are."""
    if isinstance(spawner, LocalProcessSpawner):
        return variables
    return {name: value.replace("$", "$$") for name, value in variables.items()}
