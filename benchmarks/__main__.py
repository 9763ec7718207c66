# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""`make bench`: run every benchmark and print one table (`--format json`: a list of objects).

A benchmark is a module of this folder with a function `rows()` that yields `Row`s.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
from pathlib import Path

from benchmarks.row import Row, table


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--only", metavar="NAME", help="run one module of this folder")
    arguments = parser.parse_args()
    # Nobody measures a Python that compiles everything at each start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    rows: list[Row] = []
    for name in names:
        module = importlib.import_module(f"benchmarks.{name}")
        if hasattr(module, "rows") and arguments.only in (None, name):
            rows += module.rows()
    if arguments.format == "json":
        print(json.dumps([row.as_dict() for row in rows]))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
