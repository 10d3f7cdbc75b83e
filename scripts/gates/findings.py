"""What each gate found last: docs/evidence.json, which docs/evidence.md is made from."""

import json
import os
import platform
import subprocess
from datetime import datetime, timezone

from measuring.rows import ROOT

FILE = ROOT / "docs" / "evidence.json"


def read():
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def of(gate):
    return read().get(gate, {})


def write(gate, figures):
    """Puts the figures of a gate in the place of what it found before, with when and of which commit they are."""
    found = read()
    found[gate] = {**stamp(), **figures}
    FILE.write_text(json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    print(f"written: {FILE.relative_to(ROOT)}; scripts/evidence makes the page of it")


def stamp():
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": says("git", "rev-parse", "--short=12", "HEAD") + ("+" if says("git", "status", "--porcelain") else ""),
        "machine": f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}",
    }


def says(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
