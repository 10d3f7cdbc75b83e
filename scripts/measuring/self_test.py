"""Each kind of goal, met at its bound and missed beyond it."""

from .document import parsed
from .rows import GOALS, Goal, Row

# A goal, a row that just meets it and one that does not (ours, peer), and how the table tells of it.
_CASES = [
    ({"ours_most": 3000.0}, (3000, 9000), (3001, 9000), "≤ 3000 ns/request"),
    ({"difference_most": 2500.0}, (4500, 2000), (4501, 2000), "ours − peer ≤ 2500 ns/request"),
    # Ours may cost less than theirs, and a bound may be less than nothing.
    ({"difference_most": -100.0}, (1900, 2000), (1901, 2000), "ours − peer ≤ -100 ns/request"),
    ({"ratio_most": 1.5}, (3000, 2000), (3001, 2000), "ratio ≤ 1.5"),
    ({"ratio_least": 1.5}, (3000, 2000), (2999, 2000), "ratio ≥ 1.5"),
]


def _row(given, ours, peer):
    return Row("a row: 1 thread", "ns/request", ours, peer, ours / peer, Goal.of(given))


def _failures():
    if untested := set(GOALS) - {kind for given, *_ in _CASES for kind in given}:
        yield f"no case has {', '.join(sorted(untested))}"
    for given, meets, misses, said in _CASES:
        for figures, expected in ((meets, True), (misses, False)):
            row = _row(given, *figures)
            if row.meets is not expected:
                yield f"{given} of {figures}: {row.meets}"
            if f"| {said} |" not in row.line():
                yield f"{given}: {row.line()}"
            if parsed(row.line()) != (row.name, round(row.ratio, 2), expected):
                yield f"is not read as it is written: {row.line()}"
    try:
        Goal.of({"ours_most": 1.0, "difference_most": 1.0})
    except SystemExit:
        return
    yield "a row may have two goals"


def run():
    failures = list(_failures())
    for failure in failures:
        print(f"bench: {failure}")
    if not failures:
        print(f"bench: tells {len(_CASES)} goals that are met from those that are missed")
    return 1 if failures else 0
