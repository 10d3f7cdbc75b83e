"""What the load generator measures."""

import json
import subprocess
import sys

from .building import TARGET


def quick(sections, folder):
    """Each scenario with each kind of request or check once, small."""
    seen = set()
    for row in (row for section in sections for row in section["row"] if "load" in row):
        scenario, *arguments = row["load"]
        given = dict(zip(arguments[::2], arguments[1::2]))
        kind = scenario, given.get("--work"), given.get("--ours")
        if kind not in seen:
            seen.add(kind)
            found = {figure["name"] for figure in run(folder, row["load"] + ["--quick", "true"])}
            # What is measured at fewer rows has other names.
            missing = {each["of"] for each in row["figures"]} - found if scenario != "growth" else ()
            if missing or not found:
                sys.exit(f"bench: {row['name']} has no figure {', '.join(sorted(missing))}")


def run(folder, arguments):
    scratch = TARGET / "load"
    # On the disk that holds what is built, and not in memory, which some machines have for /tmp.
    scratch.mkdir(parents=True, exist_ok=True)
    scenario, *arguments = arguments
    command = [folder / "load", scenario, "--server", folder / "ingest-server", "--folder", scratch]
    ran = subprocess.run([*command, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(ran.stdout.splitlines()[-1])
