# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Stands in for get-pip.py where its host is out of reach: uses the pip that lies beside it (see noxfile.py)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_suffix("")))

from pip._internal.cli.main import main

arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
# The pip beside this file is on the path, but it has to get into the environment.
sys.exit(main(["install", "--ignore-installed", *arguments]))
