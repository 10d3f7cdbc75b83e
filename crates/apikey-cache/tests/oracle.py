#!/usr/bin/env python3
"""Second implementation of the API-key format, with Python's standard library alone.

Prints the known answers of docs/formats.md, which src/verifier/tests.rs and src/bus/redis/entry/tests.rs hold
frozen.
"""

import hashlib
import hmac
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number, width):
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    assert number == 0
    return digits


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(secret, label, length):
    """RFC 5869 with SHA-256 and no salt; at most one block."""
    assert length <= 32
    return mac(mac(bytes(32), secret), label + b"\x01")[:length]


def lp32(value):
    return len(value).to_bytes(4, "big") + value


def date(milliseconds):
    return b"\x00" if milliseconds is None else b"\x01" + milliseconds.to_bytes(8, "big", signed=True)


PEPPER = bytes(range(32))
PEPPER_VERSION = 513
RANDOM = "0123456789AB"
SECRET = "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ"
TENANT = b"tenant-7"
TIER = b"standard"
SCOPES = b"events:write leads:read"
NOT_BEFORE = None
EXPIRES_AT = 1_798_761_600_000
RECORD_VERSION = 1
FEED = bytes(range(16))
TOLD_AT = 1_767_225_600_000

assert len(SECRET) == 43

tagged = RANDOM + base62(PEPPER_VERSION, 3)
tag_key = hkdf(PEPPER, b"portcullis/kid/v1", 32)
tag = mac(tag_key, tagged.encode())[:5]
kid = tagged + base62(int.from_bytes(tag, "big"), 7)

content = f"pcl_live_{kid}_{SECRET}"
key = content + base62(zlib.crc32(content.encode()), 6)

key_hash = mac(
    PEPPER,
    b"portcullis/apikey/v1\x00" + lp32(kid.encode()) + lp32(TENANT) + SECRET.encode(),
)
row_mac = mac(
    hkdf(PEPPER, b"portcullis/apikey-row/v1", 32),
    b"portcullis/apikey-row/v1\x00"
    + lp32(kid.encode())
    + lp32(TENANT)
    + lp32(TIER)
    + lp32(SCOPES)
    + date(NOT_BEFORE)
    + date(EXPIRES_AT)
    + RECORD_VERSION.to_bytes(8, "big")
    + PEPPER_VERSION.to_bytes(2, "big")
    + key_hash,
)
check_value = hkdf(PEPPER, b"portcullis/apikey-check/v1", 16)
notice = f"{TOLD_AT} record 17 {kid} 2"
notice_mac = mac(
    hkdf(PEPPER, b"portcullis/apikey-bus/v1", 32),
    b"portcullis/apikey-bus/v1\x00" + FEED + lp32(notice.encode()),
)
tag_check_value = hkdf(tag_key, b"portcullis/kid-check/v1", 16)

print("kid            ", kid)
print("key            ", key)
print("hash           ", key_hash.hex())
print("row MAC        ", row_mac.hex())
print("check value    ", check_value.hex())
print("tag key        ", tag_key.hex())
print("tag check value", tag_check_value.hex())
print("stream         ", f"portcullis:apikey:{{{FEED.hex()}}}:notices")
print("notice         ", notice)
print("mac            ", f"{PEPPER_VERSION}:{notice_mac.hex()}")
