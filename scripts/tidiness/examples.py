"""Examples of the library crates: run by `scripts/examples` alone, and named only if they exist."""

import re
import tomllib

from .source import finding

_NAME = re.compile(r"(?:[^/]+/){3}(\w+)(?:/main)?\.rs")
_ATTRIBUTE = re.compile(r"#\[(?:\w+::)*test\b|\bcfg\(test\)")
# The program of an example, or the folder that cargo puts them into. A test may take a module of one.
_RUNS = re.compile(r'::main\(|(?<!#\[path = )"(?:[^"\n]*/)?examples(?:/[^"\n]*)?"')

_SPACE = r"(?:\s|///?|//!|\\\n)+"
_MENTIONS = (
    re.compile(rf"(?<!for )\bexamples?{_SPACE}\[?`(\w+)`"),
    re.compile(r"--example (\w+)"),
)
# `… --example a`, `b` and `c`
_LISTS = re.compile(r"--example(?: \w+)?[^`\n|]*`((?:(?:[\s,]|and|or|with)*`\w+`)+)")
# A table whose first column says what follows `--example`.
_TABLES = re.compile(r"^\|[^|\n]*--example …`[^\n]*\n\|[-:| \t]+\n((?:\|[^\n]*\n?)*)", re.M)
_ROW = re.compile(r"^\| `(\w+)", re.M)
_QUOTED = re.compile(r"`(\w+)`")


def check(tree):
    names, paths = {}, {}
    for folder in tree.libraries():
        names[folder] = set()
        pattern = rf"{folder}/examples/(?:[^/]+|[^/]+/main)\.rs"
        for example in tree.matching(pattern):
            name = _NAME.fullmatch(example.path)[1]
            names[folder].add(name)
            if name in paths:
                yield (
                    f"{example.path}:1: {paths[name]} has this name too, and cargo puts both"
                    " into one file"
                )
            paths.setdefault(name, example.path)
        if not names[folder]:
            yield f"{folder}/examples:1: no example that runs"
    yield from _run_elsewhere(tree)
    for file in tree.matching(r"(?:.+/)?[^/]+\.(?:rs|md)"):
        folder = "/".join(file.path.split("/")[:2])
        yield from _unknown(file, names.get(folder, set(paths)))


def _run_elsewhere(tree):
    for folder in tree.libraries():
        manifest = tree.files[f"{folder}/Cargo.toml"]
        for example in tomllib.loads(manifest.text).get("example", ()):
            if "test" in example:
                yield f"{manifest.path}:1: example `{example['name']}`: scripts/examples runs it"
        for file in tree.matching(rf"{folder}/tests/.+\.rs"):
            for match in _RUNS.finditer(file.text):
                yield finding(file, match.start(), f"`{match[0]}`: scripts/examples runs examples")
        for file in tree.matching(rf"{folder}/examples/.+\.rs"):
            match = _ATTRIBUTE.search(file.code)
            if match:
                yield finding(file, match.start(), "an example asserts in `main`, without a test")


def _unknown(file, names):
    """The examples that a file names and that are not there."""
    mentions = [(match.start(), match[1]) for pattern in _MENTIONS for match in pattern.finditer(file.text)]
    for pattern, name in ((_LISTS, _QUOTED), (_TABLES, _ROW)):
        for block in pattern.finditer(file.text):
            mentions += [
                (block.start(1) + match.start(), match[1]) for match in name.finditer(block[1])
            ]
    for offset, name in mentions:
        if name not in names:
            yield finding(file, offset, f"there is no example `{name}`")
