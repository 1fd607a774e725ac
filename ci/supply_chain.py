"""Checks of what dockfix depends on: `supply_chain.py licences`, `audit`, `sbom WHEEL OUTPUT`.

`licences` reads the metadata of what is installed, and needs no network. `audit` asks for known vulnerabilities of the
versions in `ci/lock.txt`; where nobody answers, it says so and succeeds. `sbom` writes a CycloneDX document of a wheel
and the versions of its dependencies in `ci/lock.txt`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
LOCK: Final = HERE / "lock.txt"
IGNORED: Final = HERE / "audit_ignored.txt"
PIP_AUDIT: Final = "pip-audit@2.10.1"
CYCLONEDX: Final = "cyclonedx-bom@7.5.0"
SECONDS: Final = 120

ALLOWED: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CNRI-Python", "ISC", "MIT", "MPL-2.0", "PSF-2.0"}
)
"""The licences that a dependency of dockfix may have."""
_CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def normal(name: str) -> str:
    """The normalised name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


# --- licences


def dependencies(name: str, extras: Sequence[str] = ()) -> dict[str, metadata.Distribution]:
    """The distributions that a distribution needs, with what these need, as they are installed; itself included."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - only this needs it

    found: dict[str, metadata.Distribution] = {}
    todo = [(name, tuple(extras))]
    while todo:
        name, wanted = todo.pop()
        if normal(name) in found:
            continue
        found[normal(name)] = distribution = metadata.distribution(name)
        for text in distribution.requires or ():
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": each}) for each in ("", *wanted)):
                todo.append((needed.name, tuple(needed.extras)))
    return found


def licences(distribution: metadata.Distribution) -> frozenset[str]:
    """The licences of a distribution: as it declares them, or by its classifiers."""
    data = distribution.metadata

    def first(key: str) -> str:
        return next(iter(data.get_all(key) or ()), "")

    if expression := first("License-Expression"):
        return frozenset(re.split(r"\s+(?:AND|OR|WITH)\s+|[()\s]+", expression.strip())) - {""}
    classified = [
        each.rpartition(" :: ")[2] for each in data.get_all("Classifier") or () if each.startswith("License ::")
    ]
    if classified:
        return frozenset(_CLASSIFIERS.get(each, each) for each in classified)
    return frozenset({first("License").partition("\n")[0] or "unknown"})


def check_licences() -> int:
    """Say which dependencies have a licence that is not allowed."""
    found = {name: licences(each) for name, each in dependencies("dockfix", ["shellcheck"]).items()}
    wrong = {name: own for name, own in found.items() if not own <= ALLOWED}
    for name, own in sorted(wrong.items()):
        sys.stderr.write(f"{name}: the licence {', '.join(sorted(own))} is not one of those that {__file__} allows\n")
    if not wrong:
        names = ", ".join(sorted(frozenset().union(*found.values())))
        sys.stdout.write(f"licences of dockfix and {len(found) - 1} dependencies: {names}\n")
    return int(bool(wrong))


# --- known vulnerabilities


def uvx(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program that is not installed, from the package index."""
    command = [str(Path(sys.executable).with_name("uvx")), "--quiet", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)


def answer(output: str) -> list[dict[str, Any]] | None:
    """The dependencies in the JSON of pip-audit; None if it was not answered for most of them."""
    try:
        found: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    audited = [each for each in found if "skip_reason" not in each]
    return audited if len(audited) * 2 > len(found) else None


def vulnerable(found: Sequence[dict[str, Any]], ignored: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """A line for each known vulnerability, and whether another version fixes it."""
    for each in found:
        for known in each.get("vulns", ()):
            if ignored.isdisjoint({known["id"], *known.get("aliases", ())}):
                fixed = known.get("fix_versions", ())
                what = f"fixed in {', '.join(fixed)}" if fixed else "no version fixes it"
                yield f"{each['name']} {each['version']}: {known['id']}, {what}", bool(fixed)


def ignored_ids(text: str) -> frozenset[str]:
    """The IDs in a list with an ID and a reason on each line."""
    return frozenset(line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith("#"))


def audit() -> int:
    """Say which locked versions have a known vulnerability; fails only for those that another version fixes."""
    arguments = [
        "-r",
        str(LOCK),
        "--no-deps",
        "--disable-pip",
        "--format=json",
        "--progress-spinner=off",
        "--timeout=10",
    ]
    try:
        found = answer(uvx(PIP_AUDIT, *arguments).stdout)
    except (OSError, subprocess.TimeoutExpired):
        found = None
    if found is None:
        sys.stdout.write("known vulnerabilities were not looked up: the package index has no answer here\n")
        return 0
    lines = list(vulnerable(found, ignored_ids(IGNORED.read_text(encoding="utf-8"))))
    for line, _ in lines:
        sys.stderr.write(f"{line}\n")
    if not lines:
        sys.stdout.write(f"no known vulnerabilities in {len(found)} locked versions\n")
    return int(any(fixed for _, fixed in lines))


# --- SBOM


def sbom(wheel: Path, output: Path) -> int:
    """Write a CycloneDX document of a wheel and its dependencies; the same input gives the same bytes."""
    uv = str(Path(sys.executable).with_name("uv"))
    name, version = wheel.name.split("-")[:2]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True, timeout=SECONDS)
        python = str(Path(folder, "bin", "python"))
        # by name, from the folder of the wheel: its path would get into the document
        source = ["--find-links", str(wheel.parent), f"{name}=={version}"]
        command = [uv, "pip", "install", "--quiet", "--python", python, "--constraints", str(LOCK), *source]
        subprocess.run(command, check=True, timeout=SECONDS)
        done = uvx(
            "--from", CYCLONEDX, "cyclonedx-py", "environment", "--output-reproducible", "--output-format=JSON", python
        )  # fmt: skip
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        return 1
    document = json.loads(done.stdout)
    own = next(each for each in document["components"] if each["name"] == name)
    document["components"].remove(own)
    document.setdefault("metadata", {})["component"] = {**own, "type": "application"}
    output.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0


def main(arguments: Sequence[str]) -> int:
    """Run a check; returns the exit code."""
    match arguments:
        case ["licences"]:
            return check_licences()
        case ["audit"]:
            return audit()
        case ["sbom", wheel, output]:
            return sbom(Path(wheel), Path(output))
    sys.stderr.write(__doc__ or "")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
