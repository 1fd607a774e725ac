"""Images are read from each format, and their layers merged as a container runtime does it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from os import environ
from pathlib import Path

import pytest

from dockfix.verify.image import Healthcheck, Image, ImageError, Layer, read_image
from tests.verify.images import (
    Member,
    folder,
    layer,
    oci,
    oci_files,
    symlink,
    write_archive,
    write_folder,
    zipped,
)

CONFIG: dict[str, object] = {
    "author": "Ada",
    "config": {
        "User": "app",
        "Env": ["A=b", "PATH=/bin"],
        "Entrypoint": ["/entry"],
        "Cmd": ["run"],
        "Labels": {"l": "v"},
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
        "WorkingDir": "/app",
        "Volumes": {"/data": {}},
        "StopSignal": "SIGINT",
        "Shell": ["/bin/bash", "-c"],
        "Healthcheck": {
            "Test": ["CMD-SHELL", "true"], "Interval": 5_000_000_000, "Timeout": 500_000_000,
            "StartPeriod": 2_000_000_000, "Retries": 3,
        },
    },
    "history": [
        {"created_by": "ADD rootfs"}, {"created_by": "ENV A=b", "empty_layer": True}, {"created_by": "RUN touch"},
    ],
}  # fmt: skip


def merged(tmp_path: Path, *layers: bytes) -> Image:
    return read_image(oci(tmp_path / "image", *layers))


def paths(image: Image) -> list[str]:
    return list(image.tree)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def docker_files(*layers: bytes) -> dict[str, bytes]:
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = json.dumps([{"Config": "config.json", "Layers": names, "RepoTags": ["x:1"]}]).encode()
    files = {"manifest.json": manifest, "config.json": json.dumps(CONFIG).encode()}
    return files | dict(zip(names, layers, strict=True))


def test_the_configuration_is_read(tmp_path: Path) -> None:
    image = read_image(oci(tmp_path, layer(Member("a", b"xyz")), layer(Member("b", b"x")), config=CONFIG))
    config = image.config
    assert (config.user, config.env, config.entrypoint) == ("app", ("A=b", "PATH=/bin"), ("/entry",))
    assert (config.command, config.labels, config.ports) == (("run",), {"l": "v"}, ("53/udp", "80/tcp"))
    assert (config.workdir, config.volumes, config.stop_signal) == ("/app", ("/data",), "SIGINT")
    assert config.author == "Ada"
    assert config.shell == ("/bin/bash", "-c")
    assert config.healthcheck == Healthcheck(("CMD-SHELL", "true"), 5.0, 0.5, 2.0, 3)
    assert image.layers == (Layer(3, "ADD rootfs"), Layer(0, "ENV A=b", True), Layer(1, "RUN touch"))
    assert image.size == 4


def test_a_health_check_of_none_is_none(tmp_path: Path) -> None:
    config = {"config": {"Healthcheck": {"Test": ["NONE"]}}}
    assert read_image(oci(tmp_path, config=config)).config.healthcheck is None


@pytest.mark.parametrize("value", [None, 5, "x", [], {"config": []}, {"config": {"Env": {}, "Cmd": [1], "Labels": 3}}])
def test_a_configuration_of_wrong_types_does_no_harm(tmp_path: Path, value: object) -> None:
    files = oci_files([])
    config = next(name for name, content in files.items() if content == b"{}")
    files[config] = json.dumps(value).encode()
    assert read_image(write_folder(tmp_path, files)).config.user == ""


def test_all_formats_give_the_same_image(tmp_path: Path) -> None:
    layers = [layer(folder("d"), Member("d/a", b"x")), layer(Member("d/b", b"y"))]
    plain = read_image(oci(tmp_path / "oci", *layers, config=CONFIG))
    assert plain.tree["/d/b"].digest == sha256(b"y")
    archives = [
        oci(tmp_path / "zipped", *map(zipped, layers), config=CONFIG),
        write_archive(tmp_path / "oci.tar", oci_files(layers, CONFIG)),
        write_archive(tmp_path / "docker.tar", docker_files(*layers)),
        write_archive(tmp_path / "docker-zipped.tar", docker_files(*map(zipped, layers))),
    ]
    assert [read_image(each) for each in archives] == [plain] * 4


def test_old_docker_archives_link_equal_layers(tmp_path: Path) -> None:
    files = docker_files(layer(Member("a", b"x")), layer(Member("a", b"x")))
    del files["1/layer.tar"]
    path = write_archive(tmp_path / "a.tar", files, {"1/layer.tar": "../0/layer.tar"})
    assert paths(read_image(path)) == ["/", "/a"]


def test_an_attestation_is_not_an_image(tmp_path: Path) -> None:
    files = oci_files([layer(Member("a"))])
    index = json.loads(files["index.json"])
    index["manifests"].append({"digest": "sha256:" + "0" * 64, "annotations": {"vnd.docker.reference.type": "x"}})
    inner = json.dumps(index).encode()
    files[f"blobs/sha256/{sha256(inner)}"] = inner
    files["index.json"] = json.dumps({"manifests": [{"digest": f"sha256:{sha256(inner)}"}]}).encode()
    assert paths(read_image(write_folder(tmp_path, files))) == ["/", "/a"]


def test_an_image_with_two_tags_is_one_image(tmp_path: Path) -> None:
    files = oci_files([layer(Member("a"))])
    index = json.loads(files["index.json"])
    files["index.json"] = json.dumps({"manifests": index["manifests"] * 2}).encode()
    assert paths(read_image(write_folder(tmp_path, files))) == ["/", "/a"]


def test_two_images_are_refused(tmp_path: Path) -> None:
    files = oci_files([layer(Member("a"))])
    manifests = [*json.loads(files["index.json"])["manifests"], {"digest": "sha256:" + "0" * 64}]
    files["index.json"] = json.dumps({"manifests": manifests}).encode()
    with pytest.raises(ImageError, match="exactly one image, but it has 2"):
        read_image(write_folder(tmp_path, files))


def test_a_whiteout_removes_what_lower_layers_have(tmp_path: Path) -> None:
    lower = layer(folder("d"), Member("d/a"), Member("d/b"), Member("e/f/g"), Member("h"))
    upper = layer(Member("d/.wh.a"), Member(".wh.e"), Member(".wh.missing"), Member(".wh..wh.plnk/5.6"))
    assert paths(merged(tmp_path, lower, upper)) == ["/", "/d", "/d/b", "/h"]


@pytest.mark.parametrize("first", [True, False])
def test_an_opaque_folder_keeps_what_its_own_layer_has(tmp_path: Path, first: bool) -> None:
    lower = layer(Member("d/a"), Member("d/old/x"), Member("d/both/x"))
    opaque, own = Member("d/.wh..wh..opq"), [Member("d/new"), Member("d/both/y")]
    upper = layer(folder("d"), *([opaque, *own] if first else [*own, opaque]))
    assert paths(merged(tmp_path, lower, upper)) == ["/", "/d", "/d/both", "/d/both/y", "/d/new"]


def test_a_whiteout_never_removes_an_entry_of_its_own_layer(tmp_path: Path) -> None:
    lower = layer(Member("a", b"old"), Member("d/x"))
    upper = layer(Member("a", b"new"), Member(".wh.a"), Member("d/y"), Member(".wh.d"))
    image = merged(tmp_path, lower, upper)
    assert paths(image) == ["/", "/a", "/d", "/d/y"]
    assert image.tree["/a"].digest == sha256(b"new")


def test_files_folders_and_symlinks_replace_each_other(tmp_path: Path) -> None:
    lower = layer(Member("to-file/x"), Member("to-folder"), symlink("to-real", "/elsewhere"), Member("to-link/y"))
    upper = layer(
        Member("to-file", b"1"),
        folder("to-folder"),
        Member("to-folder/z"),
        folder("to-real", 0o700),
        symlink("to-link", "x"),
    )
    image = merged(tmp_path, lower, upper)
    assert paths(image) == ["/", "/to-file", "/to-folder", "/to-folder/z", "/to-link", "/to-real"]
    assert image.tree["/to-real"].mode == 0o700
    assert image.tree["/to-link"].link == "x"


def test_a_folder_of_an_upper_layer_keeps_its_content_and_changes_its_rights(tmp_path: Path) -> None:
    image = merged(tmp_path, layer(folder("d"), Member("d/a")), layer(folder("d", 0o700, 1000)))
    assert paths(image) == ["/", "/d", "/d/a"]
    assert (image.tree["/d"].mode, image.tree["/d"].uid) == (0o700, 1000)


def test_a_parent_that_is_a_symlink_is_followed_inside_the_image(tmp_path: Path) -> None:
    lower = layer(folder("usr/lib"), symlink("lib", "usr/lib"), symlink("up", "../../../usr"), symlink("abs", "/usr"))
    upper = layer(Member("lib/a"), Member("up/b"), Member("abs/lib/c"))
    image = merged(tmp_path, lower, upper)
    assert paths(image) == ["/", "/abs", "/lib", "/up", "/usr", "/usr/b", "/usr/lib", "/usr/lib/a", "/usr/lib/c"]
    assert image.tree["/lib"].type == "symlink"


def test_an_absolute_symlink_starts_at_the_root_of_the_image(tmp_path: Path) -> None:
    image = merged(
        tmp_path, layer(symlink("d/abs", "/opt"), symlink("d/rel", "../srv"), Member("d/abs/x"), Member("d/rel/y"))
    )
    assert paths(image) == ["/", "/d", "/d/abs", "/d/rel", "/opt", "/opt/x", "/srv", "/srv/y"]


def test_a_hard_link_to_a_database_is_read(tmp_path: Path) -> None:
    status = b"Package: x\nStatus: install ok installed\nVersion: 1\n"
    hard = Member("var/lib/dpkg/status", kind=tarfile.LNKTYPE, link="var/lib/dpkg/status.d/x")
    image = merged(tmp_path, layer(Member("var/lib/dpkg/status.d/x", status), hard))
    assert image.kept["/var/lib/dpkg/status"] == status


def test_a_loop_of_symlinks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="loop of symlinks"):
        merged(tmp_path, layer(symlink("a", "b"), symlink("b", "a"), Member("a/x")))


def test_a_file_as_parent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="not a folder"):
        merged(tmp_path, layer(Member("a"), Member("a/x")))


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/../x", "a/.."])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match="leads out of the image"):
        merged(tmp_path, layer(Member(name)))


def test_names_are_normalised(tmp_path: Path) -> None:
    assert paths(merged(tmp_path, layer(folder("./"), Member("./a/./b"), Member("//c")))) == ["/", "/a", "/a/b", "/c"]


def test_a_hard_link_has_the_digest_of_its_file(tmp_path: Path) -> None:
    hard = Member("b", kind=tarfile.LNKTYPE, link="a")
    image = merged(tmp_path, layer(Member("a", b"x", uid=7)), layer(hard))
    assert image.tree["/b"] == image.tree["/a"]
    assert image.size == 1


def test_a_hard_link_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="/b is a hard link to nowhere"):
        merged(tmp_path, layer(Member("b", kind=tarfile.LNKTYPE, link="nowhere")))


def test_devices_and_pipes(tmp_path: Path) -> None:
    image = merged(tmp_path, layer(Member("c", kind=tarfile.CHRTYPE), Member("p", kind=tarfile.FIFOTYPE)))
    assert (image.tree["/c"].type, image.tree["/c"].link) == ("character device", "1:3")
    assert image.tree["/p"].type == "fifo"


def test_only_files_that_say_something_of_packages_are_kept(tmp_path: Path) -> None:
    status = b"Package: x\nStatus: install ok installed\nVersion: 1\n"
    image = merged(tmp_path, layer(Member("var/lib/dpkg/status", status), Member("big", b"x" * 5000)))
    assert image.kept == {"/var/lib/dpkg/status": status}
    assert image.packages == {"dpkg:x": "1"}


def test_kept_content_follows_its_file(tmp_path: Path) -> None:
    lower = layer(Member("var/lib/dpkg/status", b"Package: x\nStatus: install ok installed\nVersion: 1\n"))
    assert merged(tmp_path, lower, layer(Member("var/lib/dpkg/.wh.status"))).packages == {}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "neither an index.json"),
        ({"index.json": b"{"}, "not JSON"),
        ({"index.json": b'{"manifests": []}'}, "exactly one image, but it has 0"),
        ({"index.json": b'{"manifests": [{"digest": "sha256:../../x"}]}'}, "without a valid digest"),
        ({"index.json": json.dumps({"manifests": [{"digest": "sha256:" + "a" * 64}]}).encode()}, "cannot be read"),
        ({"manifest.json": b"[]"}, "exactly one image"),
    ],
)
def test_what_is_not_an_image_is_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_image(write_folder(tmp_path, files))


def test_an_index_that_names_itself_is_refused(tmp_path: Path) -> None:
    files = {"index.json": json.dumps({"manifests": [{"digest": "sha256:" + "a" * 64}]}).encode()}
    files["blobs/sha256/" + "a" * 64] = files["index.json"]
    with pytest.raises(ImageError, match="exactly one image"):
        read_image(write_folder(tmp_path, files))


def test_a_missing_path_and_a_compressed_archive_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="nothing is not a file or folder"):
        read_image(tmp_path / "nothing")
    (tmp_path / "a.tar.gz").write_bytes(zipped(b"x"))
    with pytest.raises(ImageError, match="compressed as a whole"):
        read_image(tmp_path / "a.tar.gz")


def test_nothing_is_written(tmp_path: Path) -> None:
    merged(tmp_path, layer(Member("/etc/evil", b"x"), symlink("l", "/etc"), Member("l/y")))
    assert {path.name for path in tmp_path.iterdir()} == {"image"}


@pytest.mark.slow
@pytest.mark.xdist_group("verify")
def test_an_image_of_buildah_is_what_its_dockerfile_says(tmp_path: Path) -> None:
    buildah = shutil.which("buildah")
    if buildah is None and not environ.get("DOCKFIX_REQUIRE_TOOLS"):
        pytest.skip("buildah is not installed")
    assert buildah is not None
    env = {**environ, "BUILDAH_ISOLATION": "chroot", "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf")}
    store = f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n'
    (tmp_path / "storage.conf").write_text(store)
    context = tmp_path / "context"
    context.mkdir()
    (context / "a").write_text("three")  # not as long as the file that it replaces: vfs compares sizes
    (context / "d").mkdir()
    (context / "d" / "b").write_text("two")
    (context / "empty").mkdir()
    text = 'FROM scratch\nCOPY a d/b /x/\nCOPY d /y/\nCOPY empty/ /x/\nCOPY a /x/b\nUSER 7\nCMD ["/a"]\n'
    (tmp_path / "Dockerfile").write_text(text)

    def run(*argv: str) -> None:
        subprocess.run([buildah, *argv], env=env, check=True, capture_output=True, timeout=300)

    run(
        "bud",
        "--layers",
        "--format",
        "docker",
        "-t",
        "dockfix-test-image",
        "-f",
        str(tmp_path / "Dockerfile"),
        str(context),
    )
    run("push", "-q", "dockfix-test-image", f"oci:{tmp_path}/oci")
    run("push", "-q", "dockfix-test-image", f"docker-archive:{tmp_path}/docker.tar")
    image, archive = read_image(tmp_path / "oci"), read_image(tmp_path / "docker.tar")
    files = {path: entry.digest for path, entry in image.tree.items() if entry.type == "file"}
    assert files == {"/x/a": sha256(b"three"), "/x/b": sha256(b"three"), "/y/b": sha256(b"two")}
    assert (image.config.user, image.config.command) == ("7", ("/a",))
    assert archive.tree == image.tree
