"""What the scripts that build crates share: the workspace as cargo sees it, and running programs."""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# An example or a README that runs for longer hangs.
TIME_LIMIT = 60


@dataclass
class Library:
    """A crate that is published."""

    name: str
    folder: Path
    version: str
    features: list
    depends_on: list  # names of other libraries, development dependencies apart

    @property
    def short(self):
        return self.folder.name


class Workspace:
    def __init__(self):
        metadata = json.loads(_output("cargo", "metadata", "--format-version=1", "--no-deps"))
        self.target = Path(metadata["target_directory"])
        self.lock = ROOT / "Cargo.lock"
        packages = [package for package in metadata["packages"] if package["publish"] != []]
        names = {package["name"] for package in packages}
        self.libraries = [
            Library(
                package["name"],
                Path(package["manifest_path"]).parent,
                package["version"],
                sorted(package["features"]),
                sorted({
                    dependency["name"]
                    for dependency in package["dependencies"]
                    if dependency["name"] in names and dependency["kind"] != "dev"
                }),
            )
            for package in packages
        ]

    @property
    def unpacked(self):
        """Where scripts/packages unpacks the packages."""
        return self.target / "packages"

    def chosen(self, names):
        """The libraries of these names, all without any."""
        for name in names:
            if not any(name in (library.name, library.short) for library in self.libraries):
                sys.exit(f"there is no library crate named {name}")
        return [
            library
            for library in self.libraries
            if not names or library.name in names or library.short in names
        ]

    def needed_by(self, names):
        """These libraries and all they depend on, by name."""
        needed, left = {}, list(names)
        while left:
            name = left.pop()
            if name not in needed:
                needed[name] = next(each for each in self.libraries if each.name == name)
                left += needed[name].depends_on
        return needed

    def profile(self, with_sqlite):
        """The workspace's profile as TOML: with another one, dependencies would be built again."""
        dev = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]["dev"]
        tables = {"profile.dev": {key: dev[key] for key in dev if key != "package"}}
        for name, settings in dev.get("package", {}).items():
            # One for a package that is not there would be warned of.
            if name == "*" or with_sqlite:
                tables[f"profile.dev.package.{json.dumps(name)}"] = settings
        return "".join(
            f"\n[{table}]\n" + "".join(f"{key} = {json.dumps(settings[key])}\n" for key in settings)
            for table, settings in tables.items()
        )

    def cargo(self, *arguments, cwd=ROOT, **options):
        """Runs cargo with the target folder that all share."""
        environment = {**os.environ, "CARGO_TARGET_DIR": str(self.target)}
        return subprocess.run(["cargo", *arguments], cwd=cwd, env=environment, **options)


def executables(cargo_messages):
    """Of cargo's JSON messages: (package, kind, name, path) of each program that was built."""
    for line in cargo_messages.splitlines():
        if not line.startswith("{"):
            continue
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message.get("executable"):
            target = message["target"]
            yield message["package_id"], target["kind"][0], target["name"], message["executable"]


def runs(program, label):
    """Runs a program in an empty folder; says why it failed, or None."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            ran = subprocess.run(
                [program], cwd=folder, stdin=subprocess.DEVNULL, timeout=TIME_LIMIT,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            )
        except subprocess.TimeoutExpired as late:
            shown = (late.output or b"").decode(errors="replace")
            return f"ran for more than {TIME_LIMIT} s\n{shown}"
    if ran.returncode != 0:
        return f"ended with {ran.returncode}\n{ran.stdout}"
    print(f"  {label} ({time.monotonic() - started:.1f} s)")
    return None


def finish(what, failures):
    """Says how it went; the exit code."""
    for failure in failures:
        print(f"{what}: {failure}", file=sys.stderr)
    if failures:
        print(f"{what}: {len(failures)} failed", file=sys.stderr)
    return 1 if failures else 0


def _output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
