#!/usr/bin/env python3
"""A witness of C2SP tlog-witness, with hashlib and `cryptography`, and no line of the crate's.

  witness.py SEED NAME VKEY…

Cosigns the logs of these keys, under its name. Writes the port that it took to standard output. Beside its cosignature
it answers with a line of an unknown witness, and one in its name that is as long as those of ML-DSA-44.
"""

import base64
import hashlib
import http.server
import sys
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

seed, name, vkeys = bytes.fromhex(sys.argv[1]), sys.argv[2], sys.argv[3:]
key = Ed25519PrivateKey.from_private_bytes(seed)
public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
key_id = hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4]
logs = {}
for vkey in vkeys:
    origin, log_id, log_key = vkey.split("+", 2)
    logs[origin] = (bytes.fromhex(log_id), Ed25519PublicKey.from_public_bytes(base64.b64decode(log_key)[1:]))
latest = {}
lock = threading.Lock()


class Refused(Exception):
    pass


def want(holds, status, body=""):
    if not holds:
        raise Refused(status, body)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_consistent(old, new, proof, old_root, new_root):
    """RFC 9162, 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if old & (old - 1) == 0:
        proof = [old_root, *proof]
    if not proof:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


def line(who, blob):
    return f"— {who} {base64.b64encode(blob).decode()}\n"


def add_checkpoint(body):
    head, text, signatures = body.split("\n\n")
    old, *proof = head.split("\n")
    want(old.startswith("old "), 400)
    old, proof = int(old[4:]), [base64.b64decode(each, validate=True) for each in proof]
    text += "\n"
    origin, size, root, end = text.split("\n")
    size, root = int(size), base64.b64decode(root, validate=True)
    want(origin in logs, 404)
    log_id, log_key = logs[origin]
    signed = [base64.b64decode(each.split(" ")[2]) for each in signatures.splitlines() if each.split(" ")[1] == origin]
    signed = [each[4:] for each in signed if each[:4] == log_id]
    want(signed, 403)
    for each in signed:
        try:
            log_key.verify(each, text.encode())
        except InvalidSignature:
            raise Refused(403, "") from None
    want(not end and old <= size, 400)
    with lock:
        had, had_root, _ = latest.get(origin, (0, None, None))
        want(old == had, 409, f"{had}\n")
        want(not proof if old == 0 else is_consistent(old, size, proof, had_root, root), 422)
        now = int(time.time())
        signature = key.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
        cosigned = line(name, key_id + now.to_bytes(8, "big") + signature)
        latest[origin] = size, root, f"{text}\n{signatures}{cosigned}"
    unknown = line("witness.example/unknown", b"\x01\x02\x03\x04" + bytes(72))
    return unknown + line(name, b"\x05\x06\x07\x08" + now.to_bytes(8, "big") + bytes(2420)) + cosigned


class Witness(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        try:
            want(self.path == "/submit/add-checkpoint", 404)
            status, answer = 200, add_checkpoint(body)
        except Refused as refused:
            status, answer = refused.args
        self.answer(status, answer)

    def do_GET(self):
        for origin, (_, _, note) in latest.items():
            if self.path == f"/monitor/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint":
                return self.answer(200, note)
        self.answer(404, "")

    def answer(self, status, body):
        self.send_response(status)
        if status == 409:
            self.send_header("content-type", "text/x.tlog.size")
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Witness)
print(server.server_port, flush=True)
server.serve_forever()
