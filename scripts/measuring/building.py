"""What cargo builds, and where."""

import os
import subprocess
from pathlib import Path

from .rows import ROOT

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def cargo(*arguments):
    subprocess.run(["cargo", *arguments], cwd=ROOT, check=True)


def cargo_says(*arguments):
    return subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def release():
    """The service as it is shipped and the load; the folder they are in."""
    cargo("build", "--quiet", "--release", "--locked", "--package", "portcullis-benches", "--bin", "load")
    return service()


def service():
    """The service alone, as it is shipped; the folder it is in."""
    cargo("build", "--quiet", "--release", "--locked", "--package", "ingest-server", "--bin", "ingest-server")
    return TARGET / "release"


def debug():
    """With the features and the profile of the other tests, so that what they built is used."""
    features = ["--workspace", "--all-features", "--locked"]
    cargo("build", "--quiet", *features, "--bin", "load", "--bin", "ingest-server")
    return TARGET / "debug"
