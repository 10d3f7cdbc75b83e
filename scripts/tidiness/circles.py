"""Circles of modules: those of one folder do not use each other in a round.

A module here is a file and all below it, so that a file and its own children may refer to each other.
What a module passes on counts as used where it stands. Tests do not count.
"""

import re

from .source import finding
from .uses import outline

_PATH = re.compile(r"(?<![\w$:])((?:crate|self|super)(?:::\w+)+)")
_TEST_FILE = re.compile(r"(?:.+/)?tests(?:\.rs|/.+)")


class Modules:
    """The modules of a crate, by the path that leads to them from its root."""

    def __init__(self, tree, sources):
        self._files, self._outlines, self._imported = {}, {}, {}
        for file in tree.matching(re.escape(sources) + r".+\.rs"):
            path = file.path.removeprefix(sources)
            if path == "main.rs" or _TEST_FILE.fullmatch(path):
                continue
            module = () if path == "lib.rs" else tuple(path.removesuffix(".rs").split("/"))
            self._files[module] = file
            self._outlines[module] = outline(file)
        for module in self._files:
            self._imported[module] = {
                alias or segments[-1]: path
                for head in self._outlines[module].heads
                if not head.inside
                for use in head.uses
                for segments, alias in use.leaves
                if (path := _absolute(segments, module))
            }

    def circles(self):
        """Those within folders; what stands at the root is not looked at."""
        arrows = {}
        for module in self._files:
            for offset, target in self._used_by(module):
                depth = _common(module, target)
                if depth < min(len(module), len(target)):
                    siblings = arrows.setdefault(module[:depth], {})
                    arrow = (module[depth], target[depth])
                    siblings.setdefault(arrow, (self._files[module], offset))
        for folder, siblings in arrows.items():
            if folder:
                yield from _rounds("/".join(folder), siblings)

    def _used_by(self, module):
        """The modules that a module uses: (offset, path)."""
        file, found = self._files[module], self._outlines[module]
        tests = [(start, end) for start, end, names in found.scopes if "tests" in names]
        spans = list(tests)
        for head in found.heads:
            for use in head.uses:
                spans.append((use.at, use.end))
                if "tests" in head.inside:
                    continue
                for segments, _ in use.leaves:
                    if path := _absolute(segments, module + head.inside):
                        yield use.at, self._home(path)
        for match in _PATH.finditer(file.code):
            if any(start <= match.start() < end for start, end in spans):
                continue
            scopes = [names for start, end, names in found.scopes if start <= match.start() < end]
            inside = max(scopes, key=len, default=())
            if path := _absolute(tuple(match[1].split("::")), module + inside):
                yield match.start(), self._home(path)

    def _home(self, path):
        """The module in which what a path names is defined."""
        for _ in range(len(self._files)):
            depth = max(depth for depth in range(len(path) + 1) if path[:depth] in self._files)
            module, rest = path[:depth], path[depth:]
            imported = self._imported[module].get(rest[0]) if rest else None
            if not imported or imported == path:
                return module
            path = imported + rest[1:]
        return module


def _absolute(segments, module):
    """A path from the root of the crate, or None for one into another crate."""
    if segments[0] not in ("crate", "self", "super"):
        return None
    path, left = module, list(segments)
    while left and left[0] in ("crate", "self", "super"):
        step = left.pop(0)
        path = () if step == "crate" else path[:-1] if step == "super" else path
    return (*path, *left)


def _common(one, other):
    depth = 0
    while depth < min(len(one), len(other)) and one[depth] == other[depth]:
        depth += 1
    return depth


def _rounds(folder, arrows):
    """One finding for each circle, at an arrow of it."""
    to = {}
    for start, end in arrows:
        to.setdefault(start, set()).add(end)

    def steps_back(start, goal):
        """The fewest modules from `start` to `goal`, or None."""
        waiting, seen = [[start]], {start}
        while waiting:
            steps = waiting.pop(0)
            if steps[-1] == goal:
                return steps
            for step in sorted(to.get(steps[-1], set()) - seen):
                seen.add(step)
                waiting.append([*steps, step])
        return None

    told = set()
    for (start, end), (file, offset) in sorted(arrows.items(), key=lambda arrow: arrow[0]):
        back = steps_back(end, start)
        if back and frozenset(back) not in told:
            told.add(frozenset(back))
            steps = " → ".join([start, *back])
            yield finding(file, offset, f"a circle of modules in `{folder or '.'}`: {steps}")
