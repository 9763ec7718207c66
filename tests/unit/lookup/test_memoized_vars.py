# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The lookup as Ansible runs it: the values of variables, and how often the templates behind them run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rendering import run_play

PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    # Each run of the template leaves a line.
    counted: "{{ lookup('ansible.builtin.pipe', 'echo run >> ' ~ count ~ '; wc -l < ' ~ count) | int }}"
    once: "{{ counted }}"
    twice: {first: "{{ once }}", second: ["{{ once }}", "{{ counted }}"]}
    nested: "{{ [lookup('planetary.hub.memoized_vars', 'counted'), lookup('ansible.builtin.vars', 'counted'), twice] }}"
    nobody: "{{ not_there }}"
    unused: {bad: "{{ not_there }}", good: 2231e05}
    forgiving: "{{ [nobody | default('none'), unused.good, unused.bad is defined] }}"
  tasks:
    - ansible.builtin.copy:
        dest: "{{ output }}"
        mode: "0600"
        content: >-
          {{ {
            'usual': twice,
            'memoized': lookup('planetary.hub.memoized_vars', 'twice'),
            'two': query('planetary.hub.memoized_vars', 'counted', 'once'),
            'nested': lookup('planetary.hub.memoized_vars', 'nested'),
            'forgiving': lookup('planetary.hub.memoized_vars', 'forgiving'),
            'of_the_task': lookup('planetary.hub.memoized_vars', 'mine'),
          } | to_json }}
      vars:
        mine: "{{ [counted, counted] | unique | length }}"
    - ansible.builtin.debug:
        msg: "{{ lookup('planetary.hub.memoized_vars', 'nobody') }}"
      ignore_errors: true
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("play")
    root, here = Path(__file__).resolve().parents[3], ("-i", "localhost,", "-c", "local")
    given = {"count": str(folder / "count"), "ansible_python_interpreter": sys.executable}
    output, said = run_play(PLAY, root, folder, *here, **given)
    return json.loads(output), said


def test_each_template_runs_once(ran: tuple[dict[str, Any], str]) -> None:
    output, _ = ran
    # Without it each use runs the template anew.
    assert len({output["usual"]["first"], *output["usual"]["second"]}) == 3
    assert len({output["memoized"]["first"], *output["memoized"]["second"]}) == 1
    assert len({*output["two"]}) == 1
    assert output["of_the_task"] == 1


def test_other_lookups_see_what_was_worked_out(ran: tuple[dict[str, Any], str]) -> None:
    one, other, twice = ran[0]["nested"]
    assert one == other == twice["first"] == twice["second"][1]


def test_only_what_is_used_has_to_be_known(ran: tuple[dict[str, Any], str]) -> None:
    output, said = ran
    assert output["forgiving"] == ["none", "2231e05", False]
    assert "'not_there' is undefined" in said
