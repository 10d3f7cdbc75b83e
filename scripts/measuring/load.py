"""Rows that the load generator measures: one run for each, which brings several figures."""

import json
import subprocess
import sys

from .building import TARGET
from .rows import SLACK, Goal, Row

# Rows of this run that could not be measured.
failed = []


def rows(row, folder):
    """The figures of a run that the row asks for."""
    print(f"load: {row['name']}", file=sys.stderr, flush=True)
    try:
        found = {figure["name"]: figure for figure in _run(folder, row["load"])}
    except subprocess.CalledProcessError:
        # It says why above. An hour of other rows is not lost with it.
        failed.append(row["name"])
        return
    for wanted in row["figures"]:
        figure = found[wanted["of"]]
        low, high = figure.get("quartiles", (0, 0))
        yield Row(
            f"{row['name']}: {wanted['of']}", figure["unit"], figure["ours"], figure["peer"],
            figure["ratio"], Goal.of(wanted), wanted.get("slack", SLACK),
            f" ({low:.2f} … {high:.2f})" if high else "",
        )


def names(row):
    return [f"{row['name']}: {wanted['of']}" for wanted in row["figures"]]


def quick(sections, folder):
    """Each scenario with each kind of request or check once, small."""
    seen = set()
    for row in (row for section in sections for row in section["row"] if "load" in row):
        scenario, *arguments = row["load"]
        given = dict(zip(arguments[::2], arguments[1::2]))
        kind = scenario, given.get("--work"), given.get("--ours")
        if kind not in seen:
            seen.add(kind)
            found = {figure["name"] for figure in _run(folder, row["load"] + ["--quick", "true"])}
            # What is measured at fewer rows has other names.
            missing = {each["of"] for each in row["figures"]} - found if scenario != "growth" else ()
            if missing or not found:
                sys.exit(f"bench: {row['name']} has no figure {', '.join(sorted(missing))}")


def _run(folder, arguments):
    scratch = TARGET / "load"
    # On the disk that holds what is built, and not in memory, which some machines have for /tmp.
    scratch.mkdir(parents=True, exist_ok=True)
    scenario, *arguments = arguments
    command = [folder / "load", scenario, "--server", folder / "ingest-server", "--folder", scratch]
    ran = subprocess.run([*command, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(ran.stdout.splitlines()[-1])
