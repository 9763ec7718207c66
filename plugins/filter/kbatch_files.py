# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: kbatch_files
short_description: Turn the hub's profiles into the files that kbatch reads
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Writes the profiles of the hub as those of kbatch, and the template of all jobs, which run where users' servers do.
  - A profile that only some people may see is left out, because kbatch shows all of them to everybody.
positional: _input
options:
  _input:
    description: The profiles, as P(planetary.hub.profile_list#filter) returns them.
    type: list
    elements: dict
    required: true
  match_node_purpose:
    description: How jobs choose nodes by the nodes' purpose labels.
    type: str
    choices: [ignore, prefer, require]
    default: prefer
"""

EXAMPLES = r"""
files: "{{ daskhub_profiles | planetary.hub.profile_list | planetary.hub.kbatch_files }}"
"""

RETURN = r"""
_value:
  description: The keys C(profiles) and C(job_template).
  type: dict
"""

from collections.abc import Callable
from typing import Any


def kbatch_files(profiles: Any, match_node_purpose: str = "prefer") -> dict[str, Any]:
    """Both files."""
    from ansible_collections.planetary.hub.plugins.module_utils._kbatch import kbatch_job_template, kbatch_profiles
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    return {
        "profiles": kbatch_profiles(plain(profiles)),
        "job_template": kbatch_job_template(str(match_node_purpose)),
    }


class FilterModule:
    """The filter kbatch_files."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"kbatch_files": kbatch_files}
