"""The reference service: which folder may use which, and who names the database."""

import re

from .circles import Modules
from .source import finding
from .uses import outline

_SOURCES = "examples/ingest-server/src/"

# From the bottom up. A module uses what stands below it, or beside it as long as that makes no
# circle. `lead` stands below `store`, whose SQL is made from the table of its columns. `observe`
# is told what the rooms below report, and only `app` installs it.
_RANKS = (
    (
        "clock", "timestamp", "detection", "fields", "files", "json", "lead", "limits", "permission",
        "process", "shares", "spelling",
    ),
    ("audit", "store", "schemas", "quality", "config"),
    ("delivery", "pipeline"),
    ("http", "admin", "backend", "degradation", "slo"),
    ("observe",),
    ("cli", "app", "fuzzing"),
)
RANK = {name: rank for rank, names in enumerate(_RANKS) for name in names}

# The only ones that know which database there is.
_KNOWS_DATABASE = re.compile(r"(?:store/(?:sqlite|postgres)|backend|config/database|config/tests)[./]")
_DATABASE = re.compile(r"\b(?:sqlx|rusqlite)\b|\bSqlite\w*")

# The only ones that read JSON with `serde_json` itself: what compares with it, and the operator's.
_READS_JSON = re.compile(r"json/tests\.rs|schemas/folder\.rs")
_JSON_TEXT = re.compile(r"\bserde_json::(?:from_(?:str|slice|reader)|Deserializer|StreamDeserializer)\b")

_PATH = re.compile(r"(?<![\w$:])(crate::|(?:super::)+)(\w+)")


def check(tree):
    for name in RANK:
        if not tree.matching(_SOURCES + name + r"(?:\.rs|/.+\.rs)"):
            yield f"{_SOURCES}{name}.rs:1: is missing, and has a rank in scripts/tidiness/layers.py"
    passed_on = _passed_on_by_root(tree)
    arrows, unranked = {}, set()
    for file in tree.matching(_SOURCES + r".+\.rs"):
        path = file.path.removeprefix(_SOURCES)
        if not _KNOWS_DATABASE.match(path):
            for match in _DATABASE.finditer(file.code):
                yield finding(
                    file, match.start(),
                    f"`{match[0]}`: only `store/sqlite`, `backend` and its configuration know the"
                    " database",
                )
        if not _READS_JSON.match(path):
            for match in _JSON_TEXT.finditer(file.code):
                yield finding(
                    file, match.start(), f"`{match[0]}`: JSON that others wrote is read by `json`"
                )
        if path in ("lib.rs", "main.rs") or path.startswith("bin/"):
            continue
        module = re.split(r"[/.]", path)[0]
        if module not in RANK:
            if module not in unranked:
                yield f"{file.path}:1: `{module}` has no rank in scripts/tidiness/layers.py"
            unranked.add(module)
            continue
        for offset, target in targets(file, path):
            target = passed_on.get(target, target)
            if target in RANK and target != module:
                arrows.setdefault((module, target), (file, offset))
                if RANK[target] > RANK[module]:
                    yield finding(
                        file, offset, f"`{module}` is below `{target}` and does not use it"
                    )
    yield from _circles(arrows)
    yield from Modules(tree, _SOURCES).circles()


def _passed_on_by_root(tree):
    """Names that lib.rs passes on, by the module they come from."""
    found = {}
    for name in ("lib.rs", "main.rs"):
        if root := tree.files.get(_SOURCES + name):
            for head in outline(root).heads:
                for path, alias in (leaf for use in head.uses for leaf in use.leaves):
                    path = path[1:] if path[0] in ("crate", "self") else path
                    if len(path) > 1:
                        found[alias or path[-1]] = path[0]
    return found


def targets(file, path):
    """The modules and names of the crate's root that a file uses: (offset, name)."""
    found = outline(file)
    modules = path.removesuffix(".rs").split("/")
    for head in found.heads:
        for use in head.uses:
            for segments, _ in use.leaves:
                name = _at_root(segments, len(modules) + len(head.inside))
                if name:
                    yield use.at, name
    spans = [(use.at, use.end) for head in found.heads for use in head.uses]
    for match in _PATH.finditer(file.code):
        if any(start <= match.start() < end for start, end in spans):
            continue
        inside = sum(start <= match.start() < end for start, end, _ in found.scopes)
        segments = (*match[1].removesuffix("::").split("::"), match[2])
        name = _at_root(segments, len(modules) + inside)
        if name:
            yield match.start(), name


def _at_root(segments, depth):
    """What a path names right below the root of the crate, seen from a module `depth` below it."""
    if segments[0] == "crate":
        return segments[1] if len(segments) > 1 else None
    supers = 0
    while supers < len(segments) and segments[supers] == "super":
        supers += 1
    return segments[supers] if supers == depth and supers < len(segments) else None


def _circles(arrows):
    """One finding for each circle of modules, at an arrow of it."""
    to = {}
    for start, end in arrows:
        to.setdefault(start, set()).add(end)

    def reaches(start, goal, seen):
        for step in to.get(start, ()):
            if step == goal or (step not in seen and reaches(step, goal, seen | {step})):
                return True
        return False

    for (start, end), (file, offset) in sorted(arrows.items(), key=lambda arrow: arrow[0]):
        if RANK[end] == RANK[start] and reaches(end, start, {end}):
            yield finding(file, offset, f"`{start}` and `{end}` use each other: a circle")
