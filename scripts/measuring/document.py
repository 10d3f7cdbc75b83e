"""docs/benchmarks.md: written, and read to compare with."""

import os
import re
from datetime import date
from pathlib import Path

from . import figures
from .rows import ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"
HEAD = "| row | ours | peer | ratio | goal | |\n|---|---|---|---|---|---|\n"
# The section that scripts/profile writes; it is the last.
PROFILE = "## Where the time goes\n"
_INTRODUCTION = """\
# Benchmarks

Made by `scripts/bench` from [benches/rows.toml](../benches/rows.toml): every row is measured beside its
peer in one run on one machine. Ratios, ours / peer, are what to compare; times say how large they are.
A goal in absolute times is for a quiet machine with two cores. Sections are measured at different times: each
says when it was, and on which processor; those that do not are of earlier runs on another machine.
[benches/README.md](../benches/README.md) says how it is done and how to read it.
"""
_PLACE = re.compile(r"Measured on .+\.")
_LINE = re.compile(r"\| (.+?) \| .+? \| .+? \| ([\d.]+)(?: \(.+?\))? \| .*? \| (.*?) ?\|")


def read():
    """By section and row: its line, its ratio, and whether the goal was met."""
    found, title = {}, ""
    for line in _text().splitlines():
        if line.startswith("## "):
            title = line[3:]
        elif row := parsed(line):
            name, ratio, met = row
            found[title, name] = line, ratio, met
    return found


def _places():
    """By section, where and when it was measured."""
    found, title = {}, ""
    for line in _text().splitlines():
        if line.startswith("## "):
            title = line[3:]
        elif _PLACE.fullmatch(line):
            found[title] = line
    return found


def _here():
    models = re.findall(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"Measured on {os.cpu_count()} processors {models[0]}, {date.today()}."


def parsed(line):
    """Name, ratio, and whether the goal was met, if the line is one of a row."""
    match = _LINE.fullmatch(line)
    return match and (match[1], float(match[2]), match[3].startswith("met"))


def write(sections, measured):
    """What was measured; rows and sections that only another run measures stay as they were."""
    before, places = read(), _places()
    tables = {section["title"]: found for section, found in measured}
    parts = [_INTRODUCTION]
    for section in sections:
        title = section["title"]
        lines = {name: line for (of, name), (line, _, _) in before.items() if of == title}
        if measurable := tables.get(title):
            found = {row.name: row.line() for row in measurable}
            # In the order of rows.toml, without what is in it no longer.
            names = [name for row in section["row"] if "figures" in row for name in figures.names(row)]
            kept = {name: lines[name] for name in names if name in lines}
            names = names or list(found)
            places[title] = _here()
            lines = {name: (kept | found)[name] for name in names if name in kept | found}
        if lines:
            table = HEAD + "\n".join(lines.values())
            place = f"\n{places[title]}\n" if title in places else ""
            parts.append(f"## {title}\n\n{section['text'].strip()}\n\n{table}\n{place}")
    DOCUMENT.write_text("\n".join(parts) + _profile())


def write_profile(text):
    before = _text().split("\n" + PROFILE)[0].rstrip()
    DOCUMENT.write_text(f"{before}\n\n{PROFILE}\n{text}")


def _profile():
    _, found, after = _text().partition("\n" + PROFILE)
    return found + after


def _text():
    return DOCUMENT.read_text() if DOCUMENT.exists() else ""


def check(measured):
    """Why what was measured is worse than what is documented."""
    documented = read()
    for section, found in measured:
        for row in found:
            before = documented.get((section["title"], row.name))
            if before is None:
                yield f"{row.name}: is not in {DOCUMENT.relative_to(ROOT)}"
                continue
            _, ratio, met = before
            # What is documented with two figures may be nothing.
            if ratio and row.worse_than(ratio) > row.slack:
                yield f"{row.name}: the ratio is {row.ratio:.2f}, documented is {ratio:.2f}"
            elif met and row.meets is False and not row.goal.quiet:
                yield f"{row.name}: the goal is missed, and was met"
