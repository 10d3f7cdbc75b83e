"""What benches/rows.toml lists, and what was measured for it."""

import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# How much worse than documented a ratio may be, unless a row has a slack of its own.
SLACK = 1.25
GOALS = {
    "ours_most": lambda row, bound: row.ours <= bound,
    "difference_most": lambda row, bound: row.ours - row.peer <= bound,
    "ratio_most": lambda row, bound: row.ratio <= bound,
    "ratio_least": lambda row, bound: row.ratio >= bound,
}
_SAID = {
    "ours_most": "≤ {} {}",
    "difference_most": "ours − peer ≤ {} {}",
    "ratio_most": "ratio ≤ {}",
    "ratio_least": "ratio ≥ {}",
}
_VERDICTS = {None: "", True: "met", False: "**missed**"}


@dataclass
class Goal:
    """One bound, and the one that comes after it."""

    kind: str = ""
    bound: float = 0.0
    next: float | None = None
    # An absolute time, to be met where nothing else runs.
    quiet: bool = False

    @classmethod
    def of(cls, given):
        kinds = [kind for kind in GOALS if kind in given]
        if len(kinds) > 1:
            sys.exit(f"benches/rows.toml: one goal a row, not {' and '.join(kinds)}: {given}")
        for kind in kinds:
            return cls(kind, given[kind], given.get("next"), given.get("quiet", False))
        return cls()

    def text(self, unit):
        if not self.kind:
            return ""
        said = _SAID[self.kind].format(f"{self.bound:g}", unit).strip()
        then = f", then {self.next:g}" if self.next is not None else ""
        return said + then + (" (quiet machine)" if self.quiet else "")


@dataclass
class Row:
    name: str
    unit: str
    ours: float
    peer: float
    ratio: float
    goal: Goal = field(default_factory=Goal)
    slack: float = SLACK
    spread: str = ""

    @property
    def meets(self):
        """Whether it meets its goal; None without one."""
        return GOALS[self.goal.kind](self, self.goal.bound) if self.goal.kind else None

    @property
    def verdict(self):
        verdict = _VERDICTS[self.meets]
        if self.meets and self.goal.next is not None:
            if not GOALS[self.goal.kind](self, self.goal.next):
                verdict += ", the next **missed**"
        return verdict

    def worse_than(self, ratio):
        """By what factor; above one is worse."""
        more_is_better = self.unit.endswith("/s")
        return ratio / self.ratio if more_is_better else self.ratio / ratio

    def line(self):
        ours, peer = (f"{shown(value)} {self.unit}" for value in (self.ours, self.peer))
        ratio = f"{self.ratio:.2f}{self.spread}"
        goal = self.goal.text(self.unit)
        return f"| {self.name} | {ours} | {peer} | {ratio} | {goal} | {self.verdict} |"


_SECTION = {"title", "bench", "text", "row"}
_ROW = {"name", "ours", "peer", "unit", "load", "run", "figures", "full", "slack", "next", "quiet", *GOALS}


def sections():
    """What benches/rows.toml lists. A header that is missing would put one section's rows into another."""
    listed = tomllib.loads((ROOT / "benches" / "rows.toml").read_text())["section"]
    for section in listed:
        names = [row.get("name", row.get("ours")) for row in section["row"]]
        unknown = set(section) - _SECTION | {key for row in section["row"] for key in set(row) - _ROW}
        twice = {name for name in names if names.count(name) > 1}
        if unknown or twice:
            found = ", ".join(sorted(unknown | twice))
            sys.exit(f"benches/rows.toml: {section['title']}: unknown or twice: {found}")
        for row in section["row"]:
            Goal.of(row)
    measured = {bench(section) for section in listed} - {"load"}
    benches = {path.stem for path in (ROOT / "benches" / "benches").glob("*.rs")}
    if measured != benches:
        different = ", ".join(sorted(measured ^ benches))
        sys.exit(f"benches/rows.toml: a bench without a section, or a section without one: {different}")
    return listed


def bench(section):
    """The name of what measures a section."""
    return section.get("bench", "load")


def shown(value):
    """With three figures, whatever its size."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
