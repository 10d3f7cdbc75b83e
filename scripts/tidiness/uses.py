"""`use` statements: where they stand, and what they name."""

import re
from dataclasses import dataclass

_STEP = re.compile(
    r"\bmod\s+(?P<module>\w+)\s*(?P<ends>[{;])"
    r"|(?P<brace>[{}])"
    r"|(?<![\w.:#$])(?P<use>(?P<visibility>pub(?:\s*\([^)]*\))?\s+)?use\s+(?P<tree>[\w:{*][^;]*);)"
)
_ATTRIBUTES = re.compile(r"\s*(?:#\[[^\]]*(?:\[[^\]]*\][^\]]*)*\]\s*)*")
_TOKEN = re.compile(r"\w+|::|[{},*]")


@dataclass
class Use:
    """One statement, with the comments and attributes above it."""

    start: int  # of what stands above it, or of itself
    at: int  # of the statement
    end: int
    visibility: str
    leaves: list  # ((segment, …), alias)
    attributes: str = ""
    commented: bool = False

    @property
    def roots(self):
        return {path[0] for path, _ in self.leaves}


@dataclass
class Head:
    """`use` statements with nothing between them, in a module of a file."""

    inside: tuple  # inline modules of the file around it
    uses: list


@dataclass
class Outline:
    """What `outline` finds at module level; `modules` maps a scope to the names declared in it."""

    heads: list
    modules: dict
    declarations: list  # offsets of `mod name;` in the file's own scope
    scopes: list  # (start, end, names) of inline modules


def leaves(tree):
    """The paths a use tree names, flat: `a::{b, c as d}` → ((a, b), ''), ((a, c), 'd')."""
    tokens, found = _TOKEN.findall(tree), []
    position = 0

    def parse(prefix):
        nonlocal position
        path = prefix
        while position < len(tokens):
            token = tokens[position]
            if token == "{":
                position += 1
                while tokens[position] != "}":
                    parse(path)
                    if tokens[position] == ",":
                        position += 1
                position += 1
                return
            if token in ("}", ","):
                break
            position += 1
            if token == "as":
                found.append((path, tokens[position]))
                position += 1
                return
            if token != "::":
                path = (*path, token)
            elif not path:
                path = ("::" + tokens[position],)
                position += 1
        if len(path) > 1 and path[-1] == "self":
            path = path[:-1]
        found.append((path, ""))

    parse(())
    return found


def outline(file):
    """The heads and modules of a Rust file."""
    found = Outline([], {(): set()}, [], [])
    names, opened, last = (), [], {}
    for step in _STEP.finditer(file.code):
        in_module = all(is_module for is_module, _ in opened)
        if step["module"] and in_module:
            found.modules.setdefault(names, set()).add(step["module"])
            if step["ends"] == "{":
                names = (*names, step["module"])
                opened.append((True, step.end()))
            elif not names:
                found.declarations.append(step.start())
        elif step["module"] or step["brace"] == "{":
            if step["ends"] != ";":
                opened.append((False, step.end()))
        elif step["brace"] == "}" and opened:
            was_module, start = opened.pop()
            if was_module:
                found.scopes.append((start, step.start(), names))
                names = names[:-1]
        elif step["use"] and in_module:
            visibility = (step["visibility"] or "").strip()
            use = Use(step.start(), step.start(), step.end(), visibility, leaves(step["tree"]))
            previous = last.get(names)
            if not (previous and _continues(previous.uses[-1], use, file)):
                use.start = _start_of_first(use.at, file.text)
                last[names] = Head(names, [])
                found.heads.append(last[names])
            above = file.text[use.start : use.at].splitlines()
            use.attributes = " ".join(
                line.strip() for line in above if not line.lstrip().startswith("//")
            )
            use.commented = use.commented or "//" in file.text[use.start : use.end]
            last[names].uses.append(use)
    return found


def _continues(previous, use, file):
    """Whether nothing but comments and attributes stands between two; says where `use` starts."""
    if not _ATTRIBUTES.fullmatch(file.code[previous.end : use.at]):
        return False
    trailing = file.text[previous.end : use.at].partition("\n")[0]
    if trailing.strip():
        previous.commented = True
        previous.end += len(trailing)
    gap = file.text[previous.end : use.at]
    use.start = previous.end + len(gap) - len(gap.lstrip())
    return True


def _start_of_first(at, text):
    """Where the comments and attributes directly above a statement start."""
    start = text.rfind("\n", 0, at) + 1
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        line = text[above : start - 1].strip()
        is_comment = line.startswith("//") and not line.startswith("//!")
        if not (is_comment or line.startswith("#[")):
            break
        start = above
    gap = text[start:at]
    return start + len(gap) - len(gap.lstrip())
