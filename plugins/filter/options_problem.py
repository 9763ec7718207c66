# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: options_problem
short_description: Say which variable of a role has a value of the wrong type
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks values against a role's argument specs, as Ansible does when the role starts, but in one sentence with file,
    line and what to write.
positional: _input, values
options:
  _input:
    description: Options of an entry point, as in C(meta/argument_specs.yml).
    type: dict
    required: true
  values:
    description: The variables by their names. What is missing, or made of what is not known yet, is not checked.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse a value of the wrong type
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
    quiet: true
  vars:
    specs: "{{ lookup('ansible.builtin.file', role_path ~ '/meta/argument_specs.yml') | from_yaml }}"
    options: "{{ specs['argument_specs']['main']['options'] }}"
    values: "{{ dict(options | zip(query('ansible.builtin.vars', *options))) }}"
    problem: "{{ options | planetary.hub.options_problem(values) }}"
"""

RETURN = r"""
_value:
  description: One sentence that names the variable and says what to do; an empty string when all is well.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleError
from jinja2.exceptions import UndefinedError


def _options_problem(options: Any, values: Any) -> str:
    from ansible_collections.planetary.hub.plugins.module_utils._role_options import check_options
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError
    from ansible_collections.planetary.hub.plugins.plugin_utils._written import written

    for name, spec in options.items():
        try:
            check_options({name: spec}, {name: values.get(name)}, written)
        except InputError as error:
            return str(error)
        except (AnsibleError, UndefinedError):
            # It is made of what a later stage says.
            continue
    return ""


class FilterModule:
    """The filter options_problem."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"options_problem": _options_problem}
