"""The import dialect: modules declared first, then one private `use` for each root in three groups
(std; external crates; crate, super, self), then what is passed on, one `pub use` for each root too."""

import re

from .source import Source, finding
from .uses import outline

_STD = {"std", "core", "alloc"}
_LOCAL = {"crate", "super", "self"}
_NAMES = ("std", "external crates", "crate, super and self")
_DECLARATIONS = re.compile(
    r"(?:\s*(?:(?:#\[[^\n]*\]|//(?!!)[^\n]*)\n\s*)*(?:pub(?:\([^)]*\))?\s+)?mod\s+\w+;[^\n]*)+"
)


def check(tree):
    for file in tree.files.values():
        if file.is_rust:
            yield from check_file(file)


def check_file(file):
    found = outline(file)
    for head in found.heads:
        modules = found.modules.get(head.inside, set())
        yield from _check_head(file, head, modules)
    yield from _check_declarations(file, found)


def _check_declarations(file, found):
    heads = [head for head in found.heads if not head.inside]
    if not heads:
        return
    for offset in found.declarations:
        above = file.code[:offset].rstrip().rsplit("\n", 1)[-1]
        if offset > heads[0].uses[0].at and "cfg" not in above:
            yield finding(file, offset, "a module is declared before the imports")


def _check_head(file, head, modules):
    seen, previous = {}, None
    for use in head.uses:
        yield from _check_roots(file, use, modules, seen)
        if previous:
            yield from _check_order(file, previous, use, modules)
        previous = use


def _check_roots(file, use, modules, seen):
    if use.commented and not use.visibility:
        return
    for root in sorted(use.roots & modules):
        yield finding(file, use.at, f"write `self::{root}`: it is a module of this file")
    if use.commented:
        return
    if len(use.roots) > 1:
        yield finding(file, use.at, "one `use` for each root, not one for several")
        return
    for root in _normal_roots(use, modules):
        key = (root, use.attributes, use.visibility)
        if key in seen:
            yield finding(
                file, use.at, f"one `use` for each root: merge with `{root}` of line {seen[key]}"
            )
        seen.setdefault(key, file.line(use.at))


def _check_order(file, previous, use, modules):
    blank_lines = file.text[previous.end : use.start].count("\n") - 1
    if use.visibility:
        if not previous.visibility and blank_lines != 1:
            yield finding(file, use.at, "a blank line stands between imports and `pub use`")
        return
    if previous.visibility:
        yield finding(file, use.at, "private imports stand before `pub use`")
        return
    before, here = _group(previous, modules), _group(use, modules)
    if here < before:
        yield finding(
            file, use.at, f"{_NAMES[here]} come before {_NAMES[before]}: three groups, std first"
        )
    elif here > before and blank_lines != 1:
        yield finding(file, use.at, f"one blank line before the group of {_NAMES[here]}")
    elif here == before and blank_lines > 0 and not use.commented:
        yield finding(file, use.at, f"no blank line within the group of {_NAMES[here]}")


def _normal_roots(use, modules):
    return {_normal(path, modules)[0] for path, _ in use.leaves}


def _normal(path, modules):
    return ("self", *path) if path[0] in modules else path


def _group(use, modules):
    return _group_of_root(_normal(use.leaves[0][0], modules)[0])


def _group_of_root(root):
    if root in _STD:
        return 0
    # What begins with a capital is a type in scope, whose variants are imported.
    return 2 if root in _LOCAL or root[:1].isupper() else 1


# What `--fix-imports` does.


def fix(text, path):
    """`text` with its imports in the dialect; layout and order in a group are left to rustfmt."""
    file = Source(path, text)
    found = outline(file)
    for head in reversed(found.heads):
        modules = found.modules.get(head.inside, set())
        if not list(_check_head(file, head, modules)):
            continue
        start, end = head.uses[0].start, head.uses[-1].end
        indent = " " * (start - text.rfind("\n", 0, start) - 1)
        fixed = _write_head(text, head, modules, indent)
        text = text[:start] + fixed + text[end:]
    return _declare_first(text, path)


def _declare_first(text, path):
    file = Source(path, text)
    found = outline(file)
    top = next((head for head in found.heads if not head.inside), None)
    if not top or not list(_check_declarations(file, found)):
        return text
    start, end = top.uses[0].start, top.uses[-1].end
    declarations = _DECLARATIONS.match(text, end)
    if not declarations:
        return text
    moved = declarations[0].strip("\n")
    return text[:start] + moved + "\n\n" + text[start:end] + text[declarations.end() :]


def _write_head(text, head, modules, indent):
    groups, public = ([], [], []), []
    merged = {}
    for use in head.uses:
        written = text[use.start : use.end]
        if use.commented and use.visibility:
            public.append("\n" + _self_first(written, text[use.at : use.end], use, modules))
        elif use.commented:
            groups[_group(use, modules)].append(written)
        else:
            for path, alias in use.leaves:
                path = _normal(path, modules)
                key = (_group_of_root(path[0]), use.attributes, path[0], use.visibility)
                merged.setdefault(key, []).append((path, alias))
    passed_on = []
    for (group, attributes, _, visibility), paths in sorted(merged.items()):
        statement = f"use {_braced(_items(_grow(paths)))};"
        if visibility:
            statement = f"{visibility} {statement}"
        written = f"{attributes}\n{indent}{statement}" if attributes else statement
        (passed_on if visibility else groups[group]).append(written)
    public = passed_on + public
    if public:
        public[0] = public[0].lstrip("\n")
    blocks = [f"\n{indent}".join(block) for block in (*groups, public) if block]
    return f"\n\n{indent}".join(blocks)


def _self_first(written, statement, use, modules):
    if not use.roots & modules or len(use.roots) > 1:
        return written
    return written.replace(statement, re.sub(r"\buse\s+", "use self::", statement, count=1))


def _grow(paths):
    """Nested dictionaries by segment; the key None holds the aliases under which a node is taken."""
    root = {}
    for path, alias in paths:
        node = root
        for segment in path:
            node = node.setdefault(segment, {})
        node.setdefault(None, set()).add(alias)
    return root


def _items(node):
    """The use trees below a node."""
    items = []
    for name in sorted(key for key in node if key is not None):
        below = node[name]
        aliases, children = sorted(below.get(None, ())), _items(below)
        if not children:
            items += [_named(name, alias) for alias in aliases]
        else:
            children = [_named("self", alias) for alias in aliases] + children
            items.append(f"{name}::{_braced(children)}")
    return items


def _braced(items):
    return items[0] if len(items) == 1 else "{" + ", ".join(items) + "}"


def _named(name, alias):
    return f"{name} as {alias}" if alias else name
