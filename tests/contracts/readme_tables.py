# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Write the tables of variables in the roles' READMEs, from their argument specs and defaults (`make docs`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
START, END = "<!-- variables:start -->", "<!-- variables:end -->"
# A longer default is linked to, not shown.
WIDEST_DEFAULT = 60
MISSING = object()


def options_of(role: Path) -> dict[str, dict[str, Any]]:
    """The options of all entry points, main first, in the order of the specs."""
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    options: dict[str, dict[str, Any]] = {}
    for entry_point in sorted(specs, key=lambda name: name != "main"):
        for name, spec in (specs[entry_point].get("options") or {}).items():
            options.setdefault(name, spec)
    return options


def default_files(role: Path) -> list[Path]:
    """defaults/main.yml, or the files of defaults/main/, in the order in which Ansible reads them."""
    single = role / "defaults" / "main.yml"
    return [single] if single.is_file() else sorted((role / "defaults" / "main").glob("*.yml"))


def defaults_of(role: Path) -> dict[str, tuple[Any, Path]]:
    """Name to (value, file); values as written, templates included."""
    found: dict[str, tuple[Any, Path]] = {}
    for path in default_files(role):
        for name, value in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            found[name] = (value, path)
    return found


def to_markdown(text: str) -> str:
    """Turn Ansible's semantic markup into Markdown that fits into a cell."""
    text = re.sub(r"\bL\(([^,()]*),\s*([^()]*)\)", r"[\1](\2)", text)
    text = re.sub(r"\bU\(([^()]*)\)", r"<\1>", text)
    text = re.sub(r"\bB\(([^()]*)\)", r"**\1**", text)
    text = re.sub(r"\bI\(([^()]*)\)", r"*\1*", text)
    text = re.sub(r"\bP\(([^()#]*)#\w+\)", r"`\1`", text)
    text = re.sub(r"\b(?:C|V|O|RV|E|M)\(([^()]*)\)", r"`\1`", text)
    return " ".join(text.split()).replace("|", "\\|")


def default_cell(value: Any, path: Path | None, role: Path) -> str:
    """The default as code, or a link to the file where it is."""
    if value is MISSING:
        return ""
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    if path is not None and (len(text) > WIDEST_DEFAULT or "\n" in text):
        return f"see [{path.name}]({path.relative_to(role)})"
    text = text.replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def rows(options: Mapping[str, dict[str, Any]], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each option with its full name, followed by those below it: ``daskhub_local_users[].name``."""
    for name, spec in options.items():
        yield prefix + name, spec
        below = "[]." if spec.get("type") == "list" else "."
        yield from rows(spec.get("options") or {}, f"{prefix}{name}{below}")


def table(role: Path) -> str:
    """The whole table, a line for each option."""
    defaults = defaults_of(role)
    lines = ["| variable | type | default | meaning |", "|---|---|---|---|"]
    for name, spec in rows(options_of(role)):
        kind = f"{spec.get('type', 'str')} of {spec['elements']}" if "elements" in spec else spec.get("type", "str")
        value, path = defaults.get(name, (spec.get("default", MISSING), None))
        description = spec.get("description") or ""
        text = to_markdown(description if isinstance(description, str) else " ".join(description))
        if spec.get("choices"):
            text += " One of " + ", ".join(f"`{choice}`" for choice in spec["choices"]) + "."
        required = "**required**" if spec.get("required") else default_cell(value, path, role)
        lines.append(f"| `{name}` | {kind} | {required} | {text} |")
    return "\n".join(lines)


def with_table(readme: str, content: str) -> str:
    """The README with the table between its two marks; ValueError when a mark is missing."""
    before, start, rest = readme.partition(START)
    _old, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"the marks {START} and {END} are missing")
    return f"{before}{START}\n{content}\n{END}{after}"


def main() -> None:
    for specs in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        readme = specs.parent.parent / "README.md"
        if not readme.is_file():
            print(f"{readme.relative_to(ROOT)}: is missing")
            continue
        old = readme.read_text(encoding="utf-8")
        new = with_table(old, table(readme.parent))
        if new != old:
            readme.write_text(new, encoding="utf-8")
        print(f"{readme.relative_to(ROOT)}: {'is as it was' if new == old else 'written'}")


if __name__ == "__main__":
    main()
