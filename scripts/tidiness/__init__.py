"""The rules of `scripts/tidy`: each check takes a `Tree` and yields `file:line: what is wrong`."""

from . import crates, examples, files, imports, layers, vocabulary

CHECKS = (files.check, imports.check, vocabulary.check, crates.check, examples.check, layers.check)
