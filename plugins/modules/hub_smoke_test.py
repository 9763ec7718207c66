#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_smoke_test
short_description: Prove that a user can log in to a JupyterHub and compute with Dask
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Does what a user does, as a test user, through the hub's public API and the websocket of a notebook kernel. It signs
    in, starts a server with the chosen profile, opens JupyterLab, starts a Dask cluster from a notebook, scales it to
    one worker, computes, looks at the dashboard and at the environment variables, and stops everything again.
  - Each step is a check that passed, failed or was skipped, with its reason. All are written as JSON and as JUnit XML.
  - Every wait has a limit. The clean-up runs whatever happens, also when the play is interrupted. What an earlier run
    was kept from cleaning up is taken down first.
  - Use a user that nobody works as, and one run at a time. The test stops its user's default server and Dask clusters.
  - Shows a line for each check while it runs.
attributes:
  check_mode:
    support: full
    description: Says what it would do; asks the hub nothing and writes nothing.
  diff_mode:
    support: none
    description: Nothing is changed.
requirements:
  - requests
  - websocket-client
options:
  url:
    description: The hub's address, with its base URL.
    type: str
    required: true
  user:
    description:
      - The test user.
      - May be left out with O(token_file), then it is the token's owner.
    type: str
    default: ""
  password_file:
    description: File with the test user's password, for hubs with a login form.
    type: path
  token_file:
    description: File with an API token of the test user, for hubs with another way to sign in.
    type: path
  service_token_file:
    description:
      - File with the API token of a service of the hub that may make tokens for the test user, for hubs whose users
        sign in elsewhere. The token made lives as long as the test may take, and is revoked at its end.
    type: path
  ca_file:
    description:
      - CA bundle that the hub's certificate is checked against.
      - Without it the one of E(REQUESTS_CA_BUNDLE), otherwise the usual authorities.
    type: path
  profile:
    description: Profile of the server, empty for the hub's default.
    type: str
    default: ""
  cpu_limit:
    description: What E(CPU_LIMIT) shall be in the notebook, in cores. Empty for no check.
    type: str
    default: ""
  memory_limit:
    description: What E(MEM_LIMIT) shall be in the notebook, as KubeSpawner reads it, such as V(8G). Empty for no check.
    type: str
    default: ""
  cluster_options:
    description: Options of the Dask cluster; the gateway's defaults for the others.
    type: dict
    default: {}
  environment_variables:
    description: Names of variables that must be there and not empty. Their values are not read out.
    type: dict
    suboptions:
      notebook:
        description: In the notebook.
        type: list
        elements: str
        default: []
      scheduler:
        description: In the Dask scheduler.
        type: list
        elements: str
        default: []
      worker:
        description: In the Dask worker.
        type: list
        elements: str
        default: []
  gateway_url:
    description: Address of Dask Gateway, by default V(services/dask-gateway) below O(url).
    type: str
    default: ""
  limits:
    description: The longest each wait may take, in seconds.
    type: dict
    suboptions:
      request:
        description: JupyterLab's and the dashboard's first answer.
        type: int
        default: 60
      start:
        description: The server's start.
        type: int
        default: 300
      cluster:
        description: The start of the Dask cluster.
        type: int
        default: 300
      worker:
        description: The arrival of the worker.
        type: int
        default: 600
      compute:
        description: One step in the notebook.
        type: int
        default: 120
      clean_up:
        description: Taking everything down.
        type: int
        default: 120
  notebook_file:
    description: The Python file that is run in the notebook, C(roles/smoke_test/files/notebook/proof.py).
    type: path
    required: true
  logs:
    description: Log files by service, named in the message of a failed check.
    type: dict
    default: {}
  results_directory:
    description: Where C(smoke-test.json) and C(smoke-test.xml) go. Created when missing.
    type: path
    required: true
  progress_file:
    description: Set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Prove that a user can log in and compute
  planetary.hub.hub_smoke_test:
    url: https://hub.example.org/compute/
    user: smoke-test
    password_file: /etc/hub/smoke-test-password
    profile: python
    cluster_options:
      worker_cores: 2
    environment_variables:
      notebook: [PC_SDK_SUBSCRIPTION_KEY]
      worker: [PC_SDK_SUBSCRIPTION_KEY]
    notebook_file: "{{ role_path }}/files/notebook/proof.py"
    results_directory: /var/tmp/hub-results
"""

RETURN = r"""
passed:
  description: Whether no check failed. A failed check fails the task, after the results are written.
  returned: always, but in check mode
  type: bool
  sample: true
msg:
  description: The result in one sentence.
  returned: always
  type: str
  sample: "The smoke test passed: 17 checks, 0 skipped."
checks:
  description: All checks in their order. When one failed they are in the file RV(json) only.
  returned: success, but in check mode
  type: list
  elements: dict
  contains:
    name:
      description: The check.
      type: str
      sample: worker_threads
    status:
      description: V(passed), V(failed) or V(skipped).
      type: str
      sample: passed
    seconds:
      description: How long it took.
      type: float
      sample: 0.4
    message:
      description: What was seen, or why it was skipped.
      type: str
      sample: 1 for 1 cores
seconds_to_server:
  description: From asking for the server until it was ready; none when it never was.
  returned: always, but in check mode
  type: float
  sample: 3.1
seconds_to_worker:
  description: From asking for the Dask cluster until its first worker was there; none when it never came.
  returned: always, but in check mode
  type: float
  sample: 6.2
json:
  description: The results as a JSON file. C(passed), C(url), C(user), C(profile), C(started), C(seconds),
    RV(seconds_to_server), RV(seconds_to_worker), RV(checks).
  returned: always, but in check mode
  type: str
  sample: /var/tmp/hub-results/smoke-test.json
junit:
  description: The results as a JUnit XML file.
  returned: always, but in check mode
  type: str
  sample: /var/tmp/hub-results/smoke-test.xml
"""

import datetime
import signal
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import REQUESTS_ERROR, hub_url
from ansible_collections.planetary.hub.plugins.module_utils._junit import junit_xml
from ansible_collections.planetary.hub.plugins.module_utils._kernel import WEBSOCKET_ERROR
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress
from ansible_collections.planetary.hub.plugins.module_utils._smoke_report import (
    Busy,
    as_json,
    document,
    exclusive,
    write,
)
from ansible_collections.planetary.hub.plugins.module_utils._smoke_settings import (
    Limits,
    Settings,
    byte_count,
    core_count,
)
from ansible_collections.planetary.hub.plugins.module_utils._smoke_test import CHECKS, SmokeTest

# How the test user gets in.
WAYS = ("password_file", "token_file", "service_token_file")


def argument_spec() -> dict[str, Any]:
    names = {place: {"type": "list", "elements": "str", "default": []} for place in ("notebook", "scheduler", "worker")}
    seconds = {"request": 60, "start": 300, "cluster": 300, "worker": 600, "compute": 120, "clean_up": 120}
    limits = {name: {"type": "int", "default": default} for name, default in seconds.items()}
    return {
        "url": {"type": "str", "required": True},
        "user": {"type": "str", "default": ""},
        "password_file": {"type": "path", "no_log": False},
        "token_file": {"type": "path", "no_log": False},
        "service_token_file": {"type": "path", "no_log": False},
        "ca_file": {"type": "path"},
        "profile": {"type": "str", "default": ""},
        "cpu_limit": {"type": "str", "default": ""},
        "memory_limit": {"type": "str", "default": ""},
        "cluster_options": {"type": "dict", "default": {}},
        "environment_variables": {"type": "dict", "apply_defaults": True, "options": names},
        "gateway_url": {"type": "str", "default": ""},
        "limits": {"type": "dict", "apply_defaults": True, "options": limits},
        "notebook_file": {"type": "path", "required": True},
        "logs": {"type": "dict", "default": {}},
        "results_directory": {"type": "path", "required": True},
        "progress_file": {"type": "path"},
    }


def read_secret(module: AnsibleModule, option: str) -> str:
    """The one line of a secret's file; "" when the option is not given."""
    path = module.params[option]
    if not path:
        return ""
    try:
        value = Path(path).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        module.fail_json(msg=f"{option} {path} cannot be read: {getattr(error, 'strerror', None) or error}")
    if not value:
        module.fail_json(msg=f"{option} {path} is empty")
    module.no_log_values.add(value)
    return value


def settings_of(module: AnsibleModule) -> Settings:
    given = module.params
    limits: dict[str, Any] = {}
    for option, read, example in (("cpu_limit", core_count, "4"), ("memory_limit", byte_count, "8G")):
        try:
            limits[option] = read(given[option])
        except ValueError:
            module.fail_json(msg=f"{option} is {given[option]}; give a number such as {example}")
    try:
        proof = Path(given["notebook_file"]).read_text(encoding="utf-8")
    except OSError as error:
        module.fail_json(msg=f"notebook_file {given['notebook_file']} cannot be read: {error.strerror}")
    if given["ca_file"] and not Path(given["ca_file"]).exists():
        module.fail_json(msg=f"ca_file {given['ca_file']} does not exist")
    return Settings(
        url=given["url"],
        user=given["user"],
        password=read_secret(module, "password_file"),
        token=read_secret(module, "token_file"),
        service_token=read_secret(module, "service_token_file"),
        ca_file=given["ca_file"] or "",
        profile=given["profile"],
        **limits,
        cluster_options=given["cluster_options"],
        environment=given["environment_variables"],
        gateway=given["gateway_url"] or hub_url(given["url"], "services", "dask-gateway"),
        limits=Limits(**given["limits"]),
        proof=proof,
        logs=given["logs"],
    )


def interrupted(*_: Any) -> None:
    # Once: the clean-up that follows is not to be interrupted.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(1)


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        mutually_exclusive=[WAYS],
        required_one_of=[WAYS],
        required_by={"password_file": ["user"], "service_token_file": ["user"]},
    )
    for error, library in ((REQUESTS_ERROR, "requests"), (WEBSOCKET_ERROR, "websocket-client")):
        if error:
            module.fail_json(msg=missing_required_lib(library), exception=error)
    if not module.params["url"].startswith(("http://", "https://")):
        module.fail_json(msg=f"url is {module.params['url']}; give the hub's address with http:// or https://")
    if module.check_mode:
        who = module.params["user"] or "the token's owner"
        steps = ", ".join(check.name for check in CHECKS)
        module.exit_json(changed=False, msg=f"Would test {module.params['url']} as {who}: {steps}.")
    settings = settings_of(module)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    directory = Path(module.params["results_directory"])
    json_file, junit_file = directory / "smoke-test.json", directory / "smoke-test.xml"
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    progress = Progress(module.params["progress_file"] or "")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with exclusive(directory, 2 * settings.limits.clean_up, progress):
            # A run that dies half-way leaves no results, rather than those of the run before.
            for file in (json_file, junit_file):
                file.unlink(missing_ok=True)
            test = SmokeTest(settings, progress)
            report = test.run()
            write(json_file, as_json(document(settings, report, test.hub.user, started)))
            write(junit_file, junit_xml("smoke test", settings.url, started, report.checks))
    except Busy as reason:
        module.fail_json(msg=str(reason))
    except OSError as error:
        module.fail_json(msg=f"results_directory {directory} cannot be written: {error.strerror}")

    outcome: dict[str, Any] = {
        "changed": False,
        "passed": not report.failed,
        "msg": report.sentence(str(json_file)),
        "seconds_to_server": report.seconds_to_server,
        "seconds_to_worker": report.seconds_to_worker,
        "json": str(json_file),
        "junit": str(junit_file),
    }
    if report.failed:
        module.fail_json(**outcome)
    module.exit_json(**outcome, checks=report.checks)


if __name__ == "__main__":
    main()
