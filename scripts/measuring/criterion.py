"""Rows that criterion measures: two benchmarks of one group for each, or ours and what others come to together."""

import json
import shutil
import sys

from .building import TARGET, cargo, cargo_says
from .rows import SLACK, Goal, Row

_RESULTS = TARGET / "criterion"
_NANOSECONDS = {"ns": 1, "µs": 1e3, "ms": 1e6}


def run(names):
    if not names:
        return
    # What an earlier run left is no result of this one.
    shutil.rmtree(_RESULTS, ignore_errors=True)
    chosen = [argument for name in names for argument in ("--bench", name)]
    cargo("bench", "--package", "portcullis-benches", "--locked", *chosen)


def figures(name, arguments):
    """What a bench measures that is no time of one operation: it has a way of its own to do that."""
    said = cargo_says("bench", "--quiet", "--package", "portcullis-benches", "--locked", "--bench", name,
                      "--", "figures", *arguments)
    return json.loads(said.splitlines()[-1])


def quick(rows):
    """Runs every bench once, and finds the rows that name what none of them measures."""
    benches = ("test", "--quiet", "--workspace", "--all-features", "--locked", "--bench", "*")
    cargo(*benches)
    listed = cargo_says(*benches, "--", "--list").splitlines()
    measured = {_folded(line.removesuffix(": benchmark")) for line in listed if line.endswith(": benchmark")}
    for row in rows:
        for side in (row["ours"], row["peer"]):
            for name in side if isinstance(side, list) else [side]:
                start = _folded(name.removesuffix("*"))
                known = start in measured if not name.endswith("*") else any(each.startswith(start) for each in measured)
                if not known:
                    sys.exit(f"benches/rows.toml names {name}, which no bench measures")


def rows(row):
    pairs = [(row.get("name"), row["ours"], row["peer"])]
    if row["ours"].endswith("/*"):
        ours, peer = row["ours"][:-1], row["peer"][:-1]
        pairs = [(name.replace("_", " "), ours + name, peer + name) for name in _parameters(ours)]
    for name, ours, peer in pairs:
        ours, peer = _estimate(ours, row["unit"]), _estimate(peer, row["unit"])
        slack = row.get("slack", SLACK)
        yield Row(name, row["unit"], ours, peer, ours / peer, Goal.of(row), slack)


def _parameters(benchmark):
    """The inputs that a benchmark was measured with, in the order of that."""
    found = [path for path in (_RESULTS / benchmark).iterdir() if (path / "new").is_dir()]
    return [path.name for path in sorted(found, key=lambda path: (path / "new").stat().st_mtime_ns)]


def _folded(name):
    """A name as criterion's folders have it: what is a slash in a part of it is none there."""
    return name.replace("/", "_")


def _folder(benchmark):
    for folder in _RESULTS.rglob("new"):
        if _folded(str(folder.parent.relative_to(_RESULTS))) == _folded(benchmark):
            return folder
    raise FileNotFoundError(f"benches/rows.toml names {benchmark}, which no bench measured")


def _estimate(benchmark, unit):
    """The median of a benchmark, in this unit; of several, what their medians come to."""
    if isinstance(benchmark, list):
        return sum(_estimate(each, unit) for each in benchmark)
    folder = _folder(benchmark)
    median = json.loads((folder / "estimates.json").read_text())["median"]["point_estimate"]
    throughput = json.loads((folder / "benchmark.json").read_text())["throughput"]
    time, *per = unit.split("/")
    (units,) = throughput.values() if per else (1,)
    return median / _NANOSECONDS[time] / units
