#!/usr/bin/env python3
"""Second implementation of blind indexes and sealed fields, with Python's standard library and `cryptography`.

Prints the known answers of docs/formats.md, which src/cipher/tests.rs and src/index/ hold frozen. An answer that
changes is a format that changed: what is stored would not be found, or not open, any more.
"""

import hashlib
import hmac
import unicodedata

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROOT = bytes(range(0x20, 0x40))
DATA_KEY = bytes(range(32))
KEY_ID = 0x01020304
SALT = bytes(range(16))
COUNTER = 7
TENANT = b"tenant-7"
FIELD = b"lead.email"
RECORD = b"0198c0de-0000-7000-8000-000000000001"
PLAINTEXT = b"john.smith+a1@example.com"


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def expand(key, info, length):
    """HKDF-Expand of RFC 5869."""
    output, block, number = b"", b"", 1
    while len(output) < length:
        block = mac(key, block + info + bytes([number]))
        output += block
        number += 1
    return output[:length]


def lp32(part):
    return len(part).to_bytes(4, "big") + part


def u16(number):
    return number.to_bytes(2, "big")


def u32(number):
    return number.to_bytes(4, "big")


def index_value(field, index, bits, normaliser, normal, version=1):
    info = b"portcullis/index/v1\0" + lp32(TENANT) + lp32(field) + lp32(index) + u16(version) + u16(bits)
    key = expand(ROOT, info, 32)
    tag = int.from_bytes(mac(key, lp32(normaliser) + lp32(normal.encode())), "big")
    length = (bits + 7) // 8
    kept = tag >> (256 - bits) << (8 * length - bits)
    return (u16(version) + kept.to_bytes(length, "big")).hex()


def name_form(name):
    """`name-trigram/1`."""
    folded = unicodedata.normalize("NFKD", name).upper().lower().replace("ς", "σ")
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not "\u0300" <= c <= "\u036f")
    words = ""
    for char in unicodedata.normalize("NFKC", bare):
        category = unicodedata.category(char)
        if category[0] in "LM" or category == "Nd":
            words += char
        elif category not in ("Cf", "Cc"):
            words += " "
    return " ".join(words.split())


def trigrams(name, version=1):
    form = name_form(name)
    parts = {form[at : at + 3] for at in range(len(form) - 2)}
    return sorted({index_value(b"lead.name", b"search", 12, b"name-trigram/1", part, version) for part in parts})


def sealed(suite, plaintext):
    prefix = bytes([0xF9, suite]) + u32(KEY_ID) + SALT
    output = expand(DATA_KEY, b"portcullis/field/v1\0" + prefix, 56)
    key, nonce, commitment = output[:32], output[32:40] + u32(COUNTER), output[40:]
    if suite == 2:
        plaintext += b"\x80"
        plaintext += bytes(-len(plaintext) % 32)
    context = lp32(TENANT) + lp32(FIELD) + lp32(RECORD)
    return (prefix + commitment + u32(COUNTER) + AESGCM(key).encrypt(nonce, plaintext, context)).hex()


print("sealed, suite 01      ", sealed(1, PLAINTEXT))
print("sealed, suite 02      ", sealed(2, PLAINTEXT))
print("identity, email/1     ", index_value(FIELD, b"identity", 128, b"email/1", PLAINTEXT.decode()))
print("search, 12 bits       ", index_value(FIELD, b"search", 12, b"email/1", PLAINTEXT.decode()))
print("search, 5 bits        ", index_value(FIELD, b"search", 5, b"email/1", PLAINTEXT.decode()))
print("trigram `smi`         ", index_value(b"lead.name", b"search", 12, b"name-trigram/1", "smi"))
for known in ["João  SMITH", "Weiß-O’Brien", "ΟΔΟΣ", "王小明"]:
    print(f"trigrams of `{name_form(known)}`", " ".join(trigrams(known)))
print("trigrams, version 513 ", " ".join(trigrams("Smith", 513)))
