"""Notes what came of mutants: `python3 -m gates.mutants FOLDER NAME`, for scripts/mutants."""

import sys
from pathlib import Path

from . import findings

KINDS = ("caught", "missed", "timeout", "unviable")


def main(folder, name):
    def count(kind):
        return len((Path(folder) / f"{kind}.txt").read_text().splitlines())

    before = findings.of("mutants").get("of", {})
    findings.write("mutants", {"of": {**before, name: {kind: count(kind) for kind in KINDS}}})


if __name__ == "__main__":
    main(*sys.argv[1:])
