# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: values_fragments
short_description: Chart values from templates of a role, one fragment for each
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Renders C(templates/values/<topic>.yml.j2) of the role for each topic, as M(ansible.builtin.template) would, and
    reads the YAML.
  - The lookup P(ansible.builtin.template#lookup) copies all variables of the host at each use, which took longer than
    the templates themselves.
options:
  _terms:
    description: The topics.
    type: list
    elements: str
    required: true
  role:
    description: Name of the role, for the origin.
    type: str
    required: true
"""

EXAMPLES = r"""
- ansible.builtin.set_fact:
    fragments: "{{ query('planetary.hub.values_fragments', 'hub', 'proxy', role='daskhub') }}"
"""

RETURN = r"""
_raw:
  description: For each topic a dict of C(origin), the template and its role, and C(values).
  type: list
  elements: dict
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.lookup import LookupBase
from ansible.template import trust_as_template


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        folder = Path((variables or {})["role_path"]) / "templates"
        templar = self._templar.copy_with_new_env(searchpath=[str(folder)])
        fragments = []
        for topic in terms:
            path = folder / "values" / f"{topic}.yml.j2"
            try:
                text = trust_as_template(self._loader.get_text_file_contents(str(path)))
            except OSError as error:
                raise AnsibleError(f"The template {path} cannot be read: {error.strerror}.") from None
            written = templar.template(text, escape_backslashes=False)
            origin = f"templates/values/{topic}.yml.j2 of role {self.get_option('role')}"
            fragments.append({"origin": origin, "values": yaml_load(str(written)) or {}})
        return fragments
