"""Rows of which one run brings several figures: of the load generator, or of a bench by means of its own."""

import subprocess
import sys

from .rows import SLACK, Goal, Row

# Rows that could not be measured.
failed = []


def rows(row, run):
    """The figures of a run that the row asks for."""
    print(f"bench: {row['name']}", file=sys.stderr, flush=True)
    try:
        found = {figure["name"]: figure for figure in run()}
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
