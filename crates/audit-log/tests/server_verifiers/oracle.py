#!/usr/bin/env python3
"""Second implementation of the log folder: docs/formats.md, RFC 6962 and C2SP, with hashlib and `cryptography`.

  oracle.py DIR

Makes every tile of the entries in DIR/log again, and wants to find exactly these files there. Prints the size of a log
that is sound; otherwise `unsound: …` on standard error, and exits with 1.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256


class Unsound(Exception):
    pass


def want(holds, what):
    if not holds:
        raise Unsound(what)


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def root(hashes):
    """RFC 6962, 2.1, from hashes of leaves."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + root(hashes[:left]) + root(hashes[left:])).digest()


def inclusion(index, hashes):
    """RFC 6962, 2.1.1."""
    if len(hashes) == 1:
        return []
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    if index < left:
        return inclusion(index, hashes[:left]) + [root(hashes[left:])]
    return inclusion(index - left, hashes[left:]) + [root(hashes[:left])]


def consistency(old, hashes, is_known=True):
    """RFC 6962, 2.1.2."""
    if old == len(hashes):
        return [] if is_known else [root(hashes)]
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    if old <= left:
        return consistency(old, hashes[:left], is_known) + [root(hashes[left:])]
    return consistency(old - left, hashes[left:], False) + [root(hashes[:left])]


def path(kind, index, width):
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    groups = ["x" + group for group in groups[:-1]] + groups[-1:]
    return f"tile/{kind}/" + "/".join(groups) + (f".p/{width}" if width < WIDTH else "")


def tiles(leaves):
    """The files of all hashes: of each level, and then of the roots of its full tiles."""
    level, hashes = 0, leaves
    while hashes:
        rows = [hashes[at : at + WIDTH] for at in range(0, len(hashes), WIDTH)]
        for index, row in enumerate(rows):
            yield path(level, index, len(row)), b"".join(row)
        hashes = [root(row) for row in rows if len(row) == WIDTH]
        level += 1


def entries_of(log, size):
    for index in range(-(-size // WIDTH)):
        width = min(WIDTH, size - index * WIDTH)
        name = path("entries", index, width)
        want((log / name).is_file(), f"{name} is missing")
        bundle = (log / name).read_bytes()
        for _ in range(width):
            want(len(bundle) >= 2, f"{name} ends early")
            end = 2 + int.from_bytes(bundle[:2], "big")
            want(len(bundle) >= end, f"{name} ends early")
            yield bundle[2:end]
            bundle = bundle[end:]
        want(not bundle, f"{name} goes on behind its entries")


def check_leaf(n, entry, tenants):
    leaf = json.loads(entry)
    want(json.dumps(leaf, separators=(",", ":")).encode() == entry, f"entry {n} has blanks or escapes")
    want((leaf["v"], leaf["n"]) == (1, n), f"entry {n} is of another place")
    tenant = leaf["tenant"]
    want(leaf["tn"] == tenants.get(tenant, 0), f"entry {n} is of another place in its tenant")
    tenants[tenant] = leaf["tn"] + 1
    want(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", leaf["id"]), f"entry {n} has no id")
    want(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", leaf["time"]), f"entry {n} has no time")
    want(leaf["count"] >= len(leaf["resources"]), f"entry {n} counts less than it names")
    want(("detail" in leaf) == (leaf["outcome"] != "success"), f"entry {n} is a success with a detail")


def checkpoint_of(note, vkey):
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    want(key[0] == 1 and len(key) == 33, "the key is not of Ed25519")
    key_hash = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    want(key_hash.hex() == key_id, "the id of the key is another")
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    for line in lines.splitlines():
        want(line.startswith("— "), "a line is no signature")
        signer, signature = line[2:].split(" ")
        signature = base64.b64decode(signature)
        if signer == name and signature[:4] == key_hash:
            break
    else:
        raise Unsound("the log has not signed")
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
    origin, size, root_hash, end = text.split("\n")
    want(origin == name and not end, "the text is no checkpoint of this log")
    return int(size), base64.b64decode(root_hash)


def check_proofs(folder, note, leaves):
    for file in (folder / "proofs").iterdir():
        index = int(file.name.removesuffix(".tlog-proof"))
        head = ["c2sp.org/tlog-proof@v1", f"index {index}"]
        hashes = [base64.b64encode(each).decode() for each in inclusion(index, leaves)]
        want(file.read_text() == "\n".join(head + hashes) + "\n\n" + note, f"{file.name} is another proof")
    for file in (folder / "consistency").iterdir():
        old = int(file.name)
        hashes = [root(leaves[:old]), *consistency(old, leaves)]
        text = "".join(base64.b64encode(each).decode() + "\n" for each in hashes)
        want(file.read_text() == text, f"consistency with {old} is another")


def check(folder):
    log = folder / "log"
    note = (log / "checkpoint").read_text()
    size, root_hash = checkpoint_of(note, (folder / "vkey").read_text())
    tenants, leaves, found = {}, [], {log / "checkpoint"}
    for n, entry in enumerate(entries_of(log, size)):
        check_leaf(n, entry, tenants)
        leaves.append(leaf_hash(entry))
    for at in range(0, size, WIDTH):
        found.add(log / path("entries", at // WIDTH, min(WIDTH, size - at)))
    for name, content in tiles(leaves):
        want((log / name).is_file() and (log / name).read_bytes() == content, f"{name} is another")
        found.add(log / name)
    want(root(leaves) == root_hash, "the entries do not lead to the root")
    want({file for file in log.rglob("*") if file.is_file()} == found, "there are files that belong to no log")
    check_proofs(folder, note, leaves)
    return size


try:
    print(check(Path(sys.argv[1])))
except (Unsound, InvalidSignature, ValueError, KeyError) as error:
    sys.exit(f"unsound: {error!r}")
