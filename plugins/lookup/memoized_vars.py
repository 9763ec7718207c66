# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: memoized_vars
short_description: Values of variables, each variable behind them worked out once
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Returns what the lookup P(ansible.builtin.vars#lookup) returns, in less time where variables are made of others that
    are made of others. Ansible compiles and runs the template of a variable at each use; here the second use has the
    value of the first.
  - It holds for all that the variables lead to, other lookups included, and for nothing else.
options:
  _terms:
    description: Names of variables.
    type: list
    elements: str
    required: true
  every:
    description:
      - All variables. The plugin hands them to itself, in the form in which Ansible keeps what it has worked out.
        Nobody else needs it.
    type: dict
"""

EXAMPLES = r"""
- ansible.builtin.set_fact:
    hub_values: "{{ lookup('planetary.hub.memoized_vars', '__hub_values') }}"
"""

RETURN = r"""
_raw:
  description: The values in the order of the names.
  type: list
  elements: raw
"""

from collections import ChainMap
from typing import Any

from ansible.errors import AnsibleUndefinedVariable
from ansible.plugins.lookup import LookupBase
from ansible.template import trust_as_template

AGAIN = "{{ query('planetary.hub.memoized_vars', *memoized_terms, every=memoized_every) }}"


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Any = None, every: Any = None, **_options: Any) -> list[Any]:
        if every is not None:
            # A mapping that came through a template remembers what was read from it, and the layers of a ChainMap are
            # what all templates read.
            variables.maps[:] = [every]
            unknown = next((term for term in terms if term not in every), None)
            if unknown:
                raise AnsibleUndefinedVariable(f"No variable named {unknown!r} was found.")
            return [every[term] for term in terms]
        if isinstance(variables, ChainMap):
            return [self._templar.template(trust_as_template(f"{{{{ {term} }}}}")) for term in terms]
        given = ChainMap({"memoized_terms": terms, "memoized_every": dict(variables)})
        templar = self._templar.copy_with_new_env(available_variables=given)
        return templar.template(trust_as_template(AGAIN))
