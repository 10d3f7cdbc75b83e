"""The files of the tree, and Rust text taken apart far enough to check it."""

import bisect
import re
import subprocess
from pathlib import Path

# Comments, then string, raw string and character literals.
_OPAQUE = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r"|\bb?r(\#*)\".*?\"\1"
    r"|b?\"(?:[^\"\\]|\\.)*\""
    r"|b?'(?:[^'\\\n]|\\(?:x..|u\{[^}]*\}|[^xu]))'",
    re.S,
)
_BACKTICKS = re.compile(r"`[^`\n]+`")
_NOT_NEWLINE = re.compile(r"[^\n]")


def _blank(text):
    return _NOT_NEWLINE.sub(" ", text)


def _backticks_of(text):
    """`text` with everything blanked but what stands in backticks."""
    parts, end = [], 0
    for match in _BACKTICKS.finditer(text):
        parts += [_blank(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, _blank(text[end:])])


class Source:
    """One file. Offsets are the same in `text`, `code` and `named`.

    `code`   Rust without comments and literals
    `named`  `code`, and what comments name in backticks; of Markdown, backticks and fences
    """

    def __init__(self, path, text):
        self.path, self.text = path, text
        self._newlines = None
        self._code = self._named = None

    def line(self, offset):
        if self._newlines is None:
            self._newlines = [match.start() for match in re.finditer("\n", self.text)]
        return bisect.bisect_left(self._newlines, offset) + 1

    @property
    def is_rust(self):
        return self.path.endswith(".rs")

    @property
    def code(self):
        self._take_apart()
        return self._code

    @property
    def named(self):
        self._take_apart()
        return self._named

    def _take_apart(self):
        if self._code is not None:
            return
        if not self.is_rust:
            self._code, self._named = "", _code_of_markdown(self.text)
            return
        code, named, end = [], [], 0
        for match in _OPAQUE.finditer(self.text):
            before, opaque = self.text[end : match.start()], match[0]
            blank = _blank(opaque)
            code += [before, blank]
            named += [before, _backticks_of(opaque) if opaque.startswith("//") else blank]
            end = match.end()
        rest = self.text[end:]
        self._code, self._named = "".join([*code, rest]), "".join([*named, rest])


def _code_of_markdown(text):
    lines, fenced = [], False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            lines.append(_blank(line))
        else:
            lines.append(line if fenced else _backticks_of(line))
    return "".join(lines)


class Tree:
    """Every text file that is, or could be, committed, by its path from the root."""

    def __init__(self, texts):
        self.files = {path: Source(path, text) for path, text in texts.items()}

    @classmethod
    def at(cls, root):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, check=True, capture_output=True, text=True,
        ).stdout
        texts = {}
        for path in sorted(set(filter(None, listed.split("\0")))):
            file = Path(root, path)
            if file.is_file():
                content = file.read_bytes()
                if b"\0" not in content:
                    texts[path] = content.decode("utf-8", errors="replace")
        return cls(texts)

    def matching(self, pattern):
        """The files whose whole path matches a regular expression."""
        matcher = re.compile(pattern)
        return [file for path, file in self.files.items() if matcher.fullmatch(path)]

    def text(self, path):
        file = self.files.get(path)
        return file.text if file else None

    def libraries(self):
        """The folders of the library crates."""
        manifests = self.matching(r"crates/[^/]+/Cargo\.toml")
        return [file.path.removesuffix("/Cargo.toml") for file in manifests]


def finding(file, offset, message):
    return f"{file.path}:{file.line(offset)}: {message}"
