#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into fuzz/seeds: one small input for each thing an input can be.

Everything in them is made up. Run it after a change here; `git diff` shows what became of it.
"""

import base64
import gzip
import hashlib
import json
import shutil
import zlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "seeds"
EMAIL = "jane.doe@example.com"
CANARY = "c4n4ry"


def json_texts():
    yield "empty-object", "{}"
    yield "empty-array", "[]"
    yield "words", '[true,false,null,"",{"":{}}]'
    yield "blanks", ' \t\r\n{ "a" : [ 1 , 2 ] } '
    yield "escapes", '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud834\\udd1e"'
    yield "lone-surrogate", '["\\ud800"]'
    yield "integers", "[0,-1,9223372036854775807,-9223372036854775808,18446744073709551615]"
    yield "integer-too-long", "18446744073709551616"
    yield "floats", "[0.1,-0.0,1e3,1E-7,2.5e+10,5e-324,1.7976931348623157e308]"
    yield "float-inexact", "0.10000000000000001"
    yield "float-too-large", "1e400"
    yield "zero-of-any-size", "[0e999999999999,-0]"
    yield "repeated-name", '{"a":1,"\\u0061":2}'
    yield "depth-32", "[" * 32 + "]" * 32
    yield "depth-33", "[" * 33 + "]" * 33
    yield "depth-mixed", '{"a":[' * 16 + "1" + "]}" * 16
    yield "elements", '[{"a":1},{"a":1,"a":2},1e999,"b"]'
    yield "control-token-raw-value", '{"$serde_json::private::RawValue":"[[[1]]]"}'
    yield "control-token-number", '{"$serde_json::private::Number":"1e5"}'
    yield "not-utf8", b'"\xff"'
    yield "ends-early", '{"a":'
    yield "two-values", "{} {}"
    yield "byte-order-mark", "\ufeff{}"


def event(**members):
    base = {
        "specversion": "1.0", "type": "page.viewed", "source": "shop.example/web", "id": "e-1",
        "data": {"url": "https://shop.example/shoes"},
    }
    return {name: value for name, value in {**base, **members}.items() if value is not ...}


def request(body, media_type="application/json", *lines):
    head = [f"content-type: {media_type}", *lines]
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body, separators=(",", ":"))
    body = body if isinstance(body, bytes) else body.encode()
    return "\n".join(head).encode() + b"\n\n" + body


def cloud_events():
    lead = {"email": EMAIL, "phone": "+1 212 555 0100", "name": "Jane Doe", "campaign": "spring"}
    order = {
        "order": "o-1", "currency": "EUR", "total_cents": 100, "email": EMAIL,
        "items": [{"sku": "s-1", "quantity": 1, "price_cents": 100}],
    }
    one, many = "application/cloudevents+json", "application/cloudevents-batch+json"
    yield "one", request(event(), one)
    yield "either", request(event(time="2026-05-01T11:00:00+02:00"))
    yield "batch", request([event(id=f"e-{n}") for n in range(3)], many)
    yield "batch-empty", request([], many)
    yield "batch-with-rejected", request([event(), event(id=...), 7, event(type="no.such")], many)
    yield "version-2", request(event(
        dataschema="https://shop.example/schemas/page.viewed/2.json",
        data={"url": "https://shop.example/shoes", "duration_ms": 100},
    ))
    yield "lead-created", request(event(type="lead.created", data=lead))
    yield "lead-updated", request(event(
        type="lead.updated", data={"lead": "01890a5d-ac96-774b-bcce-b302099a8057", "phone": "+1 212 555 0100"},
    ))
    yield "purchase", request(event(type="purchase.completed", data=order))
    yield "form", request(event(type="form.submitted", data={"form": "f-1", "fields": {"email": EMAIL}}))
    yield "undeclared", request(event(data={"url": EMAIL}))
    yield "undeclared-id", request(event(id=EMAIL))
    yield "canary-everywhere", request(event(
        type=CANARY, id=CANARY, source=CANARY, dataschema=CANARY, time=CANARY, **{CANARY: CANARY},
    ))
    yield "canary-in-data", request(event(data={CANARY: CANARY, "url": [CANARY]}))
    yield "canary-broken", request("{" + CANARY)
    yield "attributes-null", request(event(subject=None, time=None, dataschema=None))
    yield "data-base64", request(event(data=..., data_base64=base64.b64encode(b"{}").decode()))
    yield "data-twice", request(event(data_base64="e30="))
    yield "no-data", request(event(data=...))
    yield "specversion", request(event(specversion="0.3"))
    yield "extensions", request(event(traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01", Bad_Name=1))
    yield "time-future", request(event(time="2026-05-01T12:10:01Z"))
    yield "time-past", request(event(time="2020-05-01T12:00:00Z"))
    yield "time-bounds", request([
        event(id="a", time="2026-05-01T12:10:00Z"), event(id="b", time="2021-05-02T12:00:00Z"),
    ])
    yield "binary-mode", request(
        {"url": "https://shop.example/shoes"}, "application/json", "ce-specversion: 1.0",
        "ce-type: page.viewed", "ce-source: shop.example/web", "ce-id: e-%31",
    )
    yield "media-type-parameters", request(event(), 'Application/JSON; charset="UTF-8"')
    yield "media-type-unknown", request(event(), f"text/{CANARY}")
    yield "packed", request(packed(event()), "application/json", "content-encoding: gzip")
    yield "packed-members", request(
        packed(event())[:0] + gzip.compress(b"[", mtime=0) + packed(event()) + gzip.compress(b"]", mtime=0),
        "application/json", "content-encoding: x-gzip",
    )
    yield "packed-and-more", request(packed(event()) + b"more", "application/json", "content-encoding: gzip")
    yield "lead", b"!" + request(lead)
    yield "lead-national-id", b"!" + request({"national_id": "111.444.777-35", "channel": "web"})
    yield "lead-broken", b"!" + request({"email": CANARY, CANARY: 1})
    yield "lead-array", b"!" + request([lead])


def packed(value):
    return gzip.compress(json.dumps(value).encode(), mtime=0)


def api_keys():
    kid, secret = "0123456789ABCDEFGHIJKL", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    key = f"pcl_live_{kid}_{secret}000000"
    longest = f"{'p' * 16}_{'e' * 16}_{kid}_{secret}000000"
    yield "valid", "!" + key
    yield "longest", "!" + longest
    yield "shortest", f"!a_b_{kid}_{secret}000000"
    yield "wrong-checksum", key
    yield "upper-case-label", "!PCL_LIVE" + key[8:]
    yield "label-of-digits", "!1cl_live" + key[8:]
    yield "too-short", key[:60]
    yield "not-ascii", "!pcl_l\u00efve" + key[8:]
    yield "bearer", f"!authorization: Bearer {key}\n"
    yield "bearer-lower-case", f"!authorization: bearer   {key}  \n"
    yield "named", f"!x-api-key: {key}\n"
    yield "basic", "authorization: Basic amFuZTpkb2U=\n"
    yield "basic-and-named", f"!authorization: Basic amFuZTpkb2U=\nx-api-key: {key}\n"
    yield "two", f"!authorization: Bearer {key}\nx-api-key: {key}\n"
    yield "two-named", f"!x-api-key: {key}\nx-api-key: {key}\n"
    yield "empty-bearer", "authorization: Bearer \n"
    yield "none", "accept: */*\n"


def recipes(last, changes):
    """Originals as they are, and with one change each."""
    for which in range(0, last, 4):
        yield f"original-{which:02}", bytes([which])
    for name, change in changes:
        yield name, bytes([0, *change])


def sealed():
    yield from recipes(24, (
        ("changed-magic", (0, 0, 0xFA)), ("changed-suite", (0, 1, 2)), ("changed-key-id", (0, 5, 3)),
        ("changed-salt", (1, 6, 1)), ("changed-commitment", (1, 22, 1)), ("changed-counter", (1, 41, 1)),
        ("changed-ciphertext", (1, 42, 1)), ("changed-tag", (1, 77, 0x80)), ("cut", (2, 57, 0)),
        ("without-tag", (2, 62, 0)), ("longer", (3, 62, 0)), ("spliced", (4, 42, 1)),
        ("spliced-tag", (4, 62, 5)), ("header-of-another", (4, 22, 9)),
    ))
    body = base64.urlsafe_b64encode(bytes([0xF9, 1, 0, 0, 0, 1]) + bytes(60)).decode().rstrip("=")
    yield "text", "pc1." + body
    yield "text-padded", "pc1." + body + "="
    yield "text-other-alphabet", "pc1." + body[:8] + "+/" + body[10:]
    yield "text-other-prefix", "pc2." + body
    yield "text-short", "pc1.-Q"
    yield "bytes", bytes([0xF9, 2, 0, 0, 0, 3]) + bytes(84)


def wrapped_keys():
    yield from recipes(10, (
        ("changed-magic", (0, 0, 0xF9)), ("changed-format", (0, 1, 2)), ("other-version", (0, 5, 7)),
        ("unknown-version", (0, 5, 2)), ("version-zero", (0, 5, 0)), ("changed-nonce", (1, 6, 1)),
        ("changed-key", (1, 18, 1)), ("changed-tag", (1, 65, 0x80)), ("cut", (2, 65, 0)),
        ("spliced", (3, 18, 2)), ("nonce-of-another", (3, 6, 4)),
    ))
    yield "bytes", bytes([0xFA, 1, 0, 0, 0, 1]) + bytes(60)
    yield "longer", bytes([0xFA, 1, 0, 0, 0, 1]) + bytes(61)
    yield "empty", b""


def wrapped_by_service():
    """Originals 0 to 5 are of AWS KMS, 6 and 7 of Vault."""
    yield from ((f"original-{which}", bytes([which])) for which in range(8))
    # An ARN has 75 or 64 bytes; the parts of one of Vault begin at 2, 6, 17 and 27.
    for name, which, change in (
        ("aws-changed-length", 0, (1, 3, 1)), ("aws-upper-case", 0, (0, 4, 0x41)),
        ("aws-other-service", 0, (0, 12, 0x78)),
        ("aws-changed-check", 0, (1, 79, 1)), ("aws-changed-ciphertext", 0, (1, 96, 1)), ("aws-cut", 0, (2, 95, 0)),
        ("aws-other-context", 0, (3, 79, 2)), ("aws-format-of-vault", 0, (0, 1, 3)), ("aws-local-format", 0, (0, 1, 1)),
        ("vault-version-zero", 6, (0, 5, 0)), ("vault-changed-length", 6, (1, 9, 1)), ("vault-slash", 6, (0, 10, 0x2F)),
        ("vault-percent", 6, (0, 12, 0x25)), ("vault-dots", 6, (0, 11, 0x2E)), ("vault-cut", 6, (2, 27, 0)),
        ("vault-other-key", 6, (3, 17, 7)), ("vault-format-of-aws", 6, (0, 1, 2)),
    ):
        yield name, bytes([which, *change])
    yield "empty", b""
    yield "aws-no-arn", bytes([0xFA, 2, 0, 0]) + bytes(40)
    yield "vault-endless-path", bytes([0xFA, 3, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]) + bytes(40)
    yield "answer", "vault:v12:AAECAwQ="
    for name, text in {
        "sign": "vault:v+12:AAEC", "zero": "vault:v0:AAEC", "leading-zero": "vault:v012:AAEC", "empty": "vault:v1:",
        "no-padding": "vault:v1:AAECAw", "loose-bits": "vault:v1:AAF=", "other-alphabet": "vault:v1:-_-_",
    }.items():
        yield "answer-" + name, text


def key_files():
    def summed(*lines):
        return "".join(f"{line} {hashlib.sha256(line.encode()).hexdigest()[:16]}\n" for line in lines)

    head = "portcullis-keys 1 0001020304050607 7 {} {}"
    primary = "key 00000001 primary 1750000000123 1750000000123 tenant-7 email 00000001"
    others = (
        "key 00000002 destroyed 1750000000123 1750000001000 tenant-7 email -",
        "key 00000003 decrypt-only 1750000000123 1750000000124 tenant-7 email 0a",
        "key 00000004 disabled 0 0 tenant-7 email 0b",
        "key 00000005 destroy-scheduled 1 1 tenant-7 email 0c",
        "key ffffffff pending 1750000000123 1750000000123 %c3%a9%20%25%0a%7c phone ffffffff",
    )
    yield "complete", summed(head.format(6, 2), primary, *others, "erased a", "erased gone/for:ever@all")
    yield "empty", summed(head.format(0, 0))
    yield "nothing", b""
    yield "wrong-sum", summed(head.format(0, 0)).replace("7 0", "8 0")
    yield "later-version", summed(head.format(0, 0).replace("s 1 ", "s 2 "))
    yield "no-line-end", summed(head.format(0, 0))[:-1]
    yield "more-without-line-end", summed(head.format(0, 0)) + "erased a"
    for name, lines in {
        "one": (head.format(1, 0), primary), "more-than-said": (head.format(0, 0), primary),
        "less-than-said": (head.format(2, 0), primary), "endless": (head.format(2**64 - 1, 2**64 - 1), primary),
        "out-of-order": (head.format(2, 0), others[0], primary), "twice": (head.format(2, 0), primary, primary),
        "two-primaries": (head.format(2, 0), primary, primary.replace("01 p", "02 p", 1)),
        "tombstone-with-a-key": (head.format(1, 0), others[0][:-1] + "00"),
        "live-without-one": (head.format(1, 0), primary[:-8] + "-"),
        "upper-case": (head.format(1, 0), primary[:-8] + "0A"), "odd-digits": (head.format(1, 0), primary[:-1]),
        "plus": (head.format(1, 0), primary.replace(" 175", " +175", 1)),
        "before-1970": (head.format(1, 0), primary.replace(" 175", " -175", 1)),
        "far-future": (head.format(1, 0), primary.replace("1750000000123", str(2**63 - 1))),
        "escaped-needlessly": (head.format(1, 0), primary.replace("email", "%65mail")),
        "not-utf8": (head.format(1, 0), primary.replace("email", "%ff")),
        "erased-twice": (head.format(0, 2), "erased a", "erased a"), "erased-empty": (head.format(0, 1), "erased "),
        "erased-with-keys": (head.format(1, 1), primary, "erased tenant-7"),
    }.items():
        yield "lines-" + name, "!" + "\n".join(lines)


def forwarded():
    for name, networks, peer, lines in (
        ("untrusted-peer", "10.0.0.0/8", "203.0.113.9", ["198.51.100.7"]),
        ("one-hop", "10.0.0.0/8", "10.0.0.1", ["198.51.100.7"]),
        ("claimed-by-client", "10.0.0.0/8 fd00::1", "10.0.0.1", ["10.9.9.9, 8.8.8.8", "198.51.100.7", "10.0.0.2"]),
        ("port", "10.0.0.0/8", "10.0.0.1", ["192.0.2.1:4711"]),
        ("bracketed-port", "fd00::1", "fd00::1", ["[2001:db8::5]:80"]),
        ("bracketed", "fd00::1", "fd00::1", ["[2001:db8::5]"]),
        ("mapped", "10.0.0.0/8", "::ffff:10.0.0.1", ["::ffff:192.0.2.1"]),
        ("mapped-network", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1", ["192.0.2.1"]),
        ("unknown-hop", "10.0.0.0/8", "10.0.0.1", ["192.0.2.1, unknown, 10.0.0.2"]),
        ("empty-elements", "10.0.0.0/8", "10.0.0.1", [",192.0.2.1, ,,", "", "10.0.0.2,"]),
        ("everything", "0.0.0.0/0 ::/0", "192.0.2.1", ["1.1.1.1", "2.2.2.2"]),
        ("many-hops", "10.0.0.0/8", "10.0.0.1", ["192.0.2.1," + ",".join(["10.0.0.3"] * 40)]),
        ("zone", "fe80::/10", "fe80::1", ["fe80::2%eth0"]),
        ("leading-zero", "10.0.0.0/8", "10.0.0.1", ["010.0.0.1, 0x0a.0.0.1"]),
        ("quoted", "10.0.0.0/8", "10.0.0.1", ['"192.0.2.1"']),
        ("no-proxies", "", "10.0.0.1", ["192.0.2.1"]),
        ("host-bits", "10.1.2.3/8", "10.0.0.1", ["192.0.2.1"]),
    ):
        yield name, "\n".join([networks, peer, *lines])


def traceparents():
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    good = f"00-{trace}-{parent}-01"
    yield "sampled", good
    yield "not-sampled", f"00-{trace}-{parent}-00"
    yield "other-flags", f"00-{trace}-{parent}-ff"
    yield "upper-case", good.upper()
    yield "version-ff", "ff" + good[2:]
    yield "later-version", "01" + good[2:] + "-more"
    yield "later-version-without-dash", "01" + good[2:] + "more"
    yield "version-00-with-more", good + "-more"
    yield "signed", "+0" + good[2:]
    yield "signed-trace", f"00-+{trace[1:]}-{parent}-01"
    yield "zero-trace", f"00-{'0' * 32}-{parent}-01"
    yield "zero-parent", f"00-{trace}-{'0' * 16}-01"
    yield "short-trace", f"00-{trace[1:]}-{parent}-01"
    yield "short-parent", f"00-{trace}-{parent[1:]}-01"
    yield "long-flags", f"00-{trace}-{parent}-001"
    yield "short-flags", f"00-{trace}-{parent}-1"
    yield "list", f"{good}, {good}"
    yield "blank-inside", f"00-{trace}- {parent}-01"
    yield "doubled", f"traceparent: {good}\ntraceparent: {good}\n"
    yield "with-others", f"tracestate: a=b\ntraceparent: {good}\nbaggage: c=d\n"
    yield "none", "tracestate: a=b\n"


def settings():
    def secret(number):
        return base64.b64encode(bytes((n * 7 + number * 101) % 256 ^ 0x5A for n in range(32))).decode()

    good = [
        "INGEST_ADMIN_TOKEN=0123456789abcdefghijklmnopqrstuvwxyz",
        f"PORTCULLIS_KEKS=1:{secret(1)}", f"PORTCULLIS_INDEX_ROOTS=1:{secret(2)}",
        f"PORTCULLIS_KEY_PEPPERS=1:{secret(3)}",
        f"PORTCULLIS_AUDIT_KEYS=1:{secret(8)}",
    ]
    shown = "c4n4RY-Qz7"
    yield "nothing", ""
    yield "complete", "\n".join(good)
    yield "production", "\n".join([*good, "INGEST_PROFILE=production"])
    yield "numbered", "\n".join(f"{number}={shown}" for number in range(12))
    yield "rotated", "\n".join([
        *good[:1], f"PORTCULLIS_KEKS=1:{secret(4)},2:{secret(5)}", "PORTCULLIS_KEKS_PRIMARY=2", *good[2:],
    ])
    yield "dropped", "\n".join([*good, f"PORTCULLIS_KID_TAG_KEYS=7:{secret(6)},2:{secret(7)}"])
    yield "primary-missing", "\n".join([*good, "PORTCULLIS_KEKS_PRIMARY=9"])
    yield "same-secret", "\n".join([*good[:2], f"PORTCULLIS_INDEX_ROOTS=1:{secret(1)}", good[3]])
    yield "token-from-file", "\n".join(["INGEST_ADMIN_TOKEN_FILE=token", *good[1:]])
    yield "token-is-canary", "\n".join([f"INGEST_ADMIN_TOKEN={shown}", *good[1:]])
    yield "token-holds-a-key", "\n".join([f"INGEST_ADMIN_TOKEN=x{secret(1)}", *good[1:], "INGEST_PROFILE=production"])
    yield "file-is-canary", "\n".join(["PORTCULLIS_KEKS_FILE=canary", good[0], *good[2:]])
    yield "not-utf8", "\n".join(good).encode() + b"\nINGEST_LOG=\xff"
    yield "network", "\n".join([
        *good, "INGEST_LISTEN=127.0.0.1:1", "INGEST_ADMIN_LISTEN=0.0.0.0:1", "INGEST_TRUSTED_PROXIES=10.0.0.0/8, ::1",
    ])
    yield "one-address", "\n".join([*good, "INGEST_LISTEN=127.0.0.1:1", "INGEST_ADMIN_LISTEN=127.0.0.1:1"])
    yield "telemetry", "\n".join([
        *good, "INGEST_LOG=info,ingest_server=debug", "INGEST_TRACE_SAMPLE_RATIO=0.5",
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318", f"OTEL_EXPORTER_OTLP_HEADERS=authorization={shown}",
        "OTEL_PROPAGATORS=tracecontext,baggage", "OTEL_TRACES_SAMPLER=always_on",
    ])
    yield "providers", "\n".join([*good, "PORTCULLIS_KEK_PROVIDER=vault", "INGEST_REDIS_URL=redis://127.0.0.1"])
    yield "database", "\n".join([*good, f"INGEST_DATABASE_URL=postgres://{shown}"])
    yield "typing-error", "\n".join([*good, "INGEST_LISTN=x", "INGEST_SERVICE_HOST=10.0.0.1"])
    yield "file", "\n".join([*good, "", 'listen = "127.0.0.1:0"', 'log = "warn"', "trace_sample_ratio = 0.02", ""])
    yield "file-with-secret", "\n".join([*good, "", f'portcullis_keks = "1:{shown}"', f"{shown} = 3", ""])
    yield "file-not-toml", "\n".join([*good, "", f"listen = {shown}", ""])
    yield "file-key-twice", "\n".join([*good, "", 'log = "warn"', 'log = "info"', ""])
    yield "file-tables", "\n".join([*good, "", "[network]", f'listen = "{shown}"', ""])


def texts_to_search():
    card, cpf, iban = "4111 1111 1111 1111", "529.982.247-25", "GB82 WEST 1234 5698 7654 32"
    full_width = str.maketrans({chr(sign): chr(sign + 0xFEE0) for sign in range(0x21, 0x7F)})
    arabic = str.maketrans("0123456789", "".join(chr(0x660 + digit) for digit in range(10)))
    plain = {
        "email": EMAIL, "email-quoted": '"jane doe"@example.com', "email-literal": "jane@[192.0.2.1]",
        "email-script": "ж@почта.example", "phone": "+49 170 1234567", "phone-national": "(415) 555-2671",
        "card": card, "cpf": cpf, "cpf-bare": "52998224725", "cnpj": "11.222.333/0001-81",
        "ssn": "536-90-4399", "iban": iban, "key": "pcl_live_0123456789abcdef",
        "token": "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345", "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "private-key": "-----BEGIN PRIVATE KEY-----", "ip-4": "192.0.2.1", "ip-6": "2001:db8::5",
    }
    for name, text in plain.items():
        yield name, text
        yield "in-a-sentence-" + name, f"ask, {text}. Or not"
    for name in ("email", "phone", "card", "cpf", "iban"):
        text = plain[name]
        percent = "".join(f"%{ord(sign):02X}" if not sign.isalnum() else sign for sign in text)
        entities = "".join(f"&#{ord(sign)};" if not sign.isalnum() else sign for sign in text)
        yield "percent-" + name, percent
        yield "percent-twice-" + name, percent.replace("%", "%25")
        yield "entities-" + name, entities
        yield "entities-twice-" + name, entities.replace("&", "&amp;")
        yield "full-width-" + name, text.translate(full_width)
        yield "invisible-" + name, "\u200b".join(text)
        yield "arabic-digits-" + name, text.translate(arabic)
    yield "entities-hexadecimal", "jane&#x40;example&period;com"
    yield "soft-hyphen", "jane\u00ad@example.com"
    yield "no-break-spaces", card.replace(" ", "\u00a0")
    yield "en-dashes", "415\u2013555\u20132671"
    yield "line-in-text", f"note\n{EMAIL}\n{cpf}"
    for name in ("mobile", "cpf", "ssn", "order_id", "createdAt", "ip"):
        yield "named-" + name, f"{name}\n11987654321"
    yield "named-ssn-bare", "ssn\n536904399"
    for name, text in {
        "remote": "git@github.com:owner/repository.git", "resource": "arn:aws:iam::123456789012:user/x",
        "uuid": "01890a5d-ac96-774b-bcce-b302099a8057", "ulid": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "time": "2026-05-01T12:00:00.123456Z", "epoch": "1767225600123", "coordinates": "-23.550520,-46.633308",
        "ean": "4006381333931", "isbn": "0306406152", "hash": "d41d8cd98f00b204e9800998ecf8427e",
        "padded": "000000012345", "price": "1,299.00", "placeholder": "[email] [phone]",
    }.items():
        yield "innocent-" + name, text
    for name, unit in {
        "at": "@", "address": "a@", "digits": "4", "groups": "4111 ", "percent": "%25", "entities": "&amp;",
        "quotes": '"a@', "invisible": "4\u2060", "unfolding": "\ufdfa", "marks": "a\u0301", "key": "pcl_",
        "token": "eyJ.", "names": "phone cpf ", "colons": "::", "found": EMAIL + " ",
    }.items():
        yield "repeated-" + name, "*" + unit
    for name, text in {
        "in-quotes": f'"jan{card}e doe"@example.co', "in-an-address": "jan.pcl_live_12345678.doe@example.co",
        "twice-in-quotes": '"+4917012345678, +4917012345679"@example.co', "address-in-quotes": '"a@b.io x"@example.co',
        "within-a-word": "4111111111111111GB82WEST12345698765432",
        "longer-than-a-key": "AKIAIOSFODNN7EXAMPLE4111111111111111",
        "around-a-placeholder": '"jan [payment_card] doe"@example.co', "placeholders": "[email]a@b.io[phone]4111[email]",
    }.items():
        yield "entangled-" + name, text
    for name, unit in {"in-quotes": f'"{card} x"@a.co ', "placeholder": "[email]a@b.io"}.items():
        yield "repeated-entangled-" + name, "*" + unit
    yield "long", "a b " * 200 + EMAIL + " c" * 300 + card


LEAF = (
    '{"v":1,"n":0,"tn":0,"id":"0198c0de-0000-7000-8000-000000000000","time":"2026-01-02T03:04:05.678901Z",'
    '"tenant":"tenant-7","action":"lead.read","activity":"read","actor":{"type":"api_key","id":"k7Qm2ZpX"},'
    '"resources":[{"type":"lead","id":"0198c0de-0000-7000-8000-0000000000aa"}],"count":1,'
    '"fields":["lead.email","lead.phone"],"reason":{"code":"support","ref":"T-1042"},"outcome":"success",'
    '"delivery":"must","trace":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7","node":"a",'
    '"personal":"Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V550"}'
)


def audit_notes():
    text = "portcullis.example/audit\n8\nusClIbbDnMnAAq0ZnmLjWNIEklVUBhfsJvGeKtse1cA=\n"
    by_log = (
        "\u2014 portcullis.example/audit "
        "vusCussVobEayFq43rmXAtyClUG2syAHtquqARB6X/5wUOfrB+tfJSvwI58jAKcw2+mIDvmM/hdc8PbPBtIPDt2tPAE=\n"
    )
    by_witness = (
        "\u2014 witness.example/w1 nydDYwAAAABlU/EAbWGYc3Upc19E0OsFBluZXsdjg1331SSh/T9ahSGyesuGOne2MFZbmLRL"
        "X8tNGkk3uTiooBh9Qcg8EGSZTKfsBw==\n"
    )
    unknown = f"\u2014 other.example {base64.b64encode(bytes(2432)).decode()}\n"
    note = f"{text}\n{by_log}{by_witness}"
    hashes = "".join(f"{base64.b64encode(bytes([n]) * 32).decode()}\n" for n in range(3))
    yield "signed", f"{text}\n{by_log}"
    yield "cosigned", note
    yield "unknown-line", note + unknown
    yield "log-last", f"{text}\n{by_witness}{by_log}"
    yield "twice", f"{text}\n{by_log}{by_log}"
    yield "other-text", f"{text.replace('8', '9')}\n{by_log}"
    yield "empty-lines", f"a\n\nb\n\n{by_log}"
    yield "no-signature", f"{text}\n"
    yield "not-utf8", f"{text}\n{by_log}".encode() + b"\xff"
    yield "checkpoint", text
    yield "checkpoint-empty", "a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    yield "checkpoint-extension", text + "extension\n"
    yield "checkpoint-leading-zero", text.replace("8", "08")
    yield "proof", f"c2sp.org/tlog-proof@v1\nindex 5\n{hashes}\n{note}"
    yield "proof-extra", f"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 5\n{hashes}\n{note}"
    yield "proof-no-hash", f"c2sp.org/tlog-proof@v1\nindex 0\n\n{note}"
    yield "vkey", "portcullis.example/audit+beeb02ba+ARdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V"
    yield "vkey-witness", "witness.example/w1+9f274363+BM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"
    yield "vkey-other-type", "a+00000000+BgAA"


def audit_bundles():
    def bundle(path, *entries):
        joined = b"".join(len(entry).to_bytes(2, "big") + entry.encode() for entry in entries)
        return path.encode() + b"\n" + joined

    second = LEAF.replace('"n":0,"tn":0', '"n":1,"tn":1')
    failed = LEAF.replace('"outcome":"success"', '"outcome":"denied","detail":"missing_scope"')
    refs = LEAF.replace(',"trace"', ',"refs":["0198c0de-0000-7000-8000-000000000001"],"trace"')
    least = LEAF.split(',"trace"')[0].split(',"reason"')[0] + ',"outcome":"success","delivery":"best","node":"a"}'
    yield "two", bundle("tile/entries/000.p/2", LEAF, second)
    yield "short", bundle("tile/entries/000.p/2", LEAF)
    yield "more", bundle("tile/entries/000.p/1", LEAF, second)
    yield "empty-entries", bundle("tile/entries/x001/x234/067.p/3", "", "", "")
    yield "full", bundle("tile/entries/000", *[""] * 256)
    yield "tile", b"tile/0/000.p/2\n" + bytes(64)
    yield "tile-short", b"tile/1/000.p/2\n" + bytes(63)
    yield "tile-full", b"tile/7/000\n" + bytes(8192)
    yield "path-not-written-so", b"tile/0/x000/000\n"
    for name, leaf in {
        "plain": LEAF, "failed": failed, "refs": refs, "least": least,
        "grant": LEAF.replace('"k7Qm2ZpX"', '"k7Qm2ZpX","grant":"g"'),
        "no-detail": LEAF.replace('"success"', '"failure"'), "null": LEAF.replace('"T-1042"', "null"),
        "number": LEAF.replace("tenant-7", "1234567"), "blank": LEAF.replace('"v":1', '"v": 1'),
        "lists-empty": LEAF.replace('"lead.email","lead.phone"', ""), "after-9999": LEAF.replace("2026", "9999"),
        "escaped": LEAF.replace("tenant-7", "tenant\\u002d7"),
    }.items():
        yield f"leaf-{name}", leaf


def audit_journals():
    """Frames whose entries are no leaves: a journal does not look into them."""
    def sha(*parts):
        return hashlib.sha256(b"".join(parts)).digest()

    def frame(first, entries, root, personal=(), zero=0):
        joined = b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
        parts = b"".join(n.to_bytes(8, "big") + len(sealed).to_bytes(2, "big") + sealed for n, sealed in personal)
        rest = first.to_bytes(8, "big") + b"".join(
            number.to_bytes(4, "big") for number in (len(entries), len(joined), len(parts), zero)
        ) + root + joined + parts
        return b"PAJ1" + zlib.crc32(rest).to_bytes(4, "big") + rest

    a, b = sha(b"\0a"), sha(b"\0b")
    both = sha(b"\1", a, b)
    one, two, pair = frame(0, [b"a"], a), frame(1, [b"b"], both), frame(0, [b"a", b"b"], both)
    yield "one", one
    yield "two", one + two
    yield "pair-and-room", pair + bytes(16)
    yield "personal", frame(0, [b"a", b"b"], both, [(0, b"sealed"), (1, b"")])
    yield "personal-elsewhere", frame(0, [b"a"], a, [(1, b"sealed")])
    yield "torn", one + two[:-1]
    yield "torn-inside", one + two[:20] + bytes(8) + two[28:-1] + b"c" + bytes(16)
    yield "damaged", one[:-1] + b"b" + two
    yield "damaged-before-zeros", one[:-1] + b"b" + frame(1, [b"b"], both, [(1, bytes(3))])
    yield "gap", one + frame(2, [b"b"], both)
    yield "wrong-root", frame(0, [b"a"], b)
    yield "not-zero", frame(0, [b"a"], a, zero=1)
    yield "too-large", b"PAJ1" + b"\xff" * 60
    yield "after-the-last", frame(2**63 - 1, [b"a"], a)
    yield "room", bytes(100)


def audit_sinks():
    yield "network", "10.20.0.0/16\n10.20.3.4"
    yield "network-v6", "fd00:7::/48\nfd00:7::1"
    yield "network-all", "0.0.0.0/0\n::ffff:169.254.169.254"
    yield "network-of-one", "::1/128\n::1"
    yield "network-mapped", "::ffff:10.0.0.0/104\n10.0.0.1"
    yield "network-bits-behind", "10.20.0.1/16\n"
    yield "network-leading-zero", "10.20.0.0/016\n"
    yield "endpoint", "https://siem.example/audit?key=a"
    yield "endpoint-port", "https://[fd00::1]:8443/"
    yield "endpoint-cleartext", "http://127.0.0.1:4318/v1/logs"
    yield "endpoint-user", "https://user:word@siem.example/"
    yield "endpoint-fragment", "https://siem.example/#a"
    yield "endpoint-relative", "/audit"
    yield "secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    yield "secret-longest", "whsec_" + base64.b64encode(bytes(64)).decode()
    yield "secret-too-long", "whsec_" + base64.b64encode(bytes(65)).decode()
    yield "secret-short", "whsec_" + base64.b64encode(bytes(23)).decode()
    yield "secret-bits-behind", "whsec_" + base64.b64encode(bytes(25)).decode().replace("A==", "B==")


def audit_searches():
    cursor = base64.urlsafe_b64encode(bytes(16)).decode().rstrip("=")
    yield "newest", ""
    yield "of-another", f"tenant=tenant-7\n{cursor}"
    yield "all-kinds", (
        "tenant=tenant-7\nactor=k7Qm2ZpX\naction=lead.read\nresource=lead-1\nfield=lead.email\noutcome=success\n"
    )
    yield "twice", "tenant=a\ntenant=b\ntenant=a\n"
    yield "no-terms", "outcome=maybe\nactor=a b\nfield=A\nsize=1\n"
    # Of a search for everything: SHA-256 of two times that nobody gave.
    every = bytes(8) + hashlib.sha256(b"\xff" * 16).digest()[:8]
    yield "own", base64.urlsafe_b64encode(every).decode().rstrip("=")
    yield "padded", base64.urlsafe_b64encode(every).decode()
    yield "short", cursor[:-1]


TARGETS = {
    "json": json_texts, "cloud_events": cloud_events, "api_key": api_keys, "sealed": sealed,
    "wrapped_key": wrapped_keys, "wrapped_by_service": wrapped_by_service, "key_file": key_files,
    "forwarded": forwarded, "traceparent": traceparents, "settings": settings,
    "detect": texts_to_search, "audit_note": audit_notes, "audit_bundle": audit_bundles,
    "audit_journal": audit_journals, "audit_search": audit_searches, "audit_sink": audit_sinks,
}


def main():
    for target, seeds in TARGETS.items():
        folder = FOLDER / target
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        names = set()
        for name, content in seeds():
            assert name not in names, f"{target}: two seeds {name}"
            names.add(name)
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


if __name__ == "__main__":
    main()
