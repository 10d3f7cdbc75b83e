"""Size, names and heads of files; lines of Markdown; marks of unfinished work; paths of somebody's machine."""

import re

from .source import finding

_LIMIT = 600
_LINE_LIMIT = 120
# Each of these files is the same in all folders beside it.
_COPIES = {
    ("transaction.rs", "transaction/tests.rs"): (
        "crates/apikey-cache/src/store/sqlite", "crates/audit-log/src/store/sqlite",
        "crates/dq-metrics/src/history/sqlite", "crates/keyring/src/store/sqlite",
    ),
    ("write_transaction.rs",): (
        "crates/audit-log/src/store/postgres", "crates/dq-metrics/src/history/postgres",
        "crates/keyring/src/store/postgres",
    ),
}
_LEFTOVERS = {"utils", "util", "common", "types", "helpers", "core"}
_MARKS = re.compile(
    r"todo!\(|unimplemented!\(|\bFIXME\b|\bXXX\b|\bTODO\b|#\[ignore|#!?\[allow\(", re.M
)
_BANNERS = re.compile(r"^[ \t]*//+ ?={3,}", re.M)
# Tables, fences, and where a link leads, which cannot be broken.
_UNWRAPPED = re.compile(r"^[ \t]*```.*?^[ \t]*```[ \t]*$|^\|[^\n]*$|\]\([^)\n]*\)", re.M | re.S)
_LONG_LINE = re.compile(rf"^[^\n]{{{_LINE_LIMIT + 1},}}$", re.M)
# Assembled, so that this file does not name what it looks for.
_MACHINE = re.compile(
    r"(?<![\w.])/(?:" + "|".join(("work", "root", "Users", "home/[a-z]+", "tmp/wt")) + r")/"
)
_REQUIRED = (
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md",
    "LICENSE-APACHE", "LICENSE-MIT",
)


def check(tree):
    for path in _REQUIRED:
        if tree.text(path) is None:
            yield f"{path}:1: is missing"
    yield from _copies(tree)
    for file in tree.files.values():
        yield from _machine_paths(file)
        if file.is_rust:
            yield from _names(file)
            yield from _marks(file)
            yield from _head(file)
        elif file.path.endswith(".md"):
            yield from _long_lines(file)


def _copies(tree):
    """Crates that do not depend on each other may need the same few lines; these stay the same."""
    for names, folders in _COPIES.items():
        for name in names:
            paths = [f"{folder}/{name}" for folder in folders]
            texts = {path: tree.files[path].text for path in paths if path in tree.files}
            if len(set(texts.values())) > 1:
                yield f"{max(texts)}:1: is not the same as {min(texts)}"


def _names(file):
    lines = file.text.count("\n")
    if lines > _LIMIT:
        yield f"{file.path}:{_LIMIT + 1}: {lines} lines; {_LIMIT} is the limit, 150 the aim"
    name = file.path.rsplit("/", 1)[-1].removesuffix(".rs")
    if name == "mod":
        yield f"{file.path}:1: name it after its folder, beside it"
    if name in _LEFTOVERS:
        yield f"{file.path}:1: name it after what lives there"


def _marks(file):
    for match in _MARKS.finditer(file.text):
        yield finding(file, match.start(), f"`{match[0]}`: unfinished, skipped or silenced")
    for match in _BANNERS.finditer(file.text):
        yield finding(file, match.start(), "no banners: the order of a file is its structure")


def _head(file):
    if not re.fullmatch(r"(?:crates|examples)/[^/]+/(?:src|examples)/.+", file.path):
        return
    heads = ("//!", "#![doc") if file.path.endswith("/src/lib.rs") else ("//!",)
    if not file.text.startswith(heads):
        yield f"{file.path}:1: begins with a `//!` line that says what lives there"


def _long_lines(file):
    wrapped = _UNWRAPPED.sub(lambda match: "\n" * match[0].count("\n"), file.text)
    for match in _LONG_LINE.finditer(wrapped):
        line = wrapped.count("\n", 0, match.start()) + 1
        yield f"{file.path}:{line}: over {_LINE_LIMIT} characters; wrap at 100"


def _machine_paths(file):
    for match in _MACHINE.finditer(file.text):
        yield finding(file, match.start(), f"`{match[0]}` is a path of one machine")
