"""A server in a folder of its own, with an API key that no limit holds up."""

import json
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass

# How long a start may take, and an end.
PATIENCE = 30
_UNBOUNDED = {"per-second": 1_000_000, "burst": 1_000_000}


@dataclass
class Served:
    public: str
    key: str


@contextmanager
def served(program, scratch):
    """Runs the server until the block ends; it has to end well, too."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log", "error"]
        process = subprocess.Popen([program, "--data-dir", f"{folder}/data", *listen], stdout=subprocess.PIPE, text=True)
        # One that says nothing is ended, and its silence with it.
        impatient = threading.Timer(PATIENCE, process.kill)
        impatient.start()
        # In the order in which the dev profile says them: `  public       http://127.0.0.1:37117`.
        said = (line.split()[1] for line in process.stdout if line.split()[:1] in (["public"], ["admin"]))
        addresses = [next(said, None), next(said, None)]
        impatient.cancel()
        try:
            if None in addresses:
                sys.exit("load: the server did not start; what it says stands above")
            yield Served(addresses[0], _key(addresses[1], f"{folder}/data/dev-secrets.env"))
        finally:
            process.terminate()
            try:
                code = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
        if code != 0:
            sys.exit(f"load: the server ended with {code}")


def _key(admin, secrets):
    with open(secrets) as file:
        given = dict(line.strip().split("=", 1) for line in file if "=" in line)
    token = given["INGEST_ADMIN_TOKEN"]
    category = {"ingest": {"tenant": _UNBOUNDED}}
    limits = {"client-address": _UNBOUNDED, "tier": {"enterprise": {"category": category}}}
    _ask(f"{admin}/admin/limits", token, "PUT", limits)
    wanted = {"tenant": "load", "tier": "enterprise", "scopes": ["events:write"]}
    return json.loads(_ask(f"{admin}/admin/api-keys", token, "POST", wanted))["key"]


def _ask(url, token, method, body):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"load: {method} {url} was answered {error.code}: {error.read().decode(errors='replace')}")
