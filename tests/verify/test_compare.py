"""What differs between two images, what it is called, and which promise allows it."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from dockfix.rule.promise import Packages, Part, Promise
from dockfix.verify.changes import size_text
from dockfix.verify.compare import UNSTABLE, allowed, compare, measurements, unstable
from dockfix.verify.image import Healthcheck, Image, ImageConfig, Layer
from dockfix.verify.layers import Entry
from dockfix.verify.model import Difference
from tests.verify.images import image

FOLDER = Entry("folder", 0o755, 0, 0)


def file(content: str = "x", mode: int = 0o644, uid: int = 0, size: int = 1) -> Entry:
    return Entry("file", mode, uid, uid, size, content * 20)


def texts(found: tuple[Difference, ...]) -> list[tuple[str, ...]]:
    return [(each.kind, each.what, each.before, each.after, each.reason) for each in found]


def reasons(found: tuple[Difference, ...]) -> dict[str, str]:
    return {each.what: each.reason for each in found}


def check(promise: Promise, before: Image, after: Image) -> dict[str, str]:
    return reasons(allowed(compare(before, after), {"rule": promise}, before, after))


def test_equal_images_have_no_differences() -> None:
    files: dict[str, bytes | Entry] = {"/a/b": b"x", "/l": Entry("symlink", 0o777, 0, 0, link="a")}
    assert compare(image(files), image(files)) == ()


def test_the_configuration_is_compared_part_by_part() -> None:
    before = ImageConfig(
        user="root", env=("A=1", "B=2"), command=("run", "it"), labels={"l": "1"}, ports=("80/tcp",), volumes=("/v",)
    )
    after = ImageConfig(  # noqa: S604 - a field of the image configuration, no shell is run
        user="app", env=("B=2", "A=3", "C="), entrypoint=("/e",), labels={"l": "2"}, ports=("81/tcp",), workdir="/w",
        healthcheck=Healthcheck(("CMD", "true"), 5.0, 0.5, retries=3), shell=("/bin/bash", "-c"), stop_signal="SIGINT",
        author="Ada",
    )  # fmt: skip
    assert texts(compare(image(config=before), image(config=after))) == [
        ("config", "author", "", "Ada", ""),
        ("config", "command", '["run", "it"]', "", ""),
        ("config", "entrypoint", "", '["/e"]', ""),
        ("config", "env A", "1", "3", ""),
        ("config", "env C", "", "(empty)", ""),
        ("config", "healthcheck", "", '["CMD", "true"], interval 5 s, timeout 0.5 s, 3 retries', ""),
        ("config", "labels l", "1", "2", ""),
        ("config", "ports 80/tcp", "exposed", "", ""),
        ("config", "ports 81/tcp", "", "exposed", ""),
        ("config", "shell", "", '["/bin/bash", "-c"]', ""),
        ("config", "stop-signal", "", "SIGINT", ""),
        ("config", "user", "root", "app", ""),
        ("config", "volumes /v", "declared", "", ""),
        ("config", "workdir", "", "/w", ""),
    ]


def test_the_order_of_variables_is_no_difference() -> None:
    before, after = ImageConfig(env=("A=1", "B=2")), ImageConfig(env=("B=2", "A=1"))
    assert compare(image(config=before), image(config=after)) == ()


def test_the_value_of_a_secret_is_never_shown() -> None:
    before, after = ImageConfig(env=("API_KEY=abc",)), ImageConfig(env=("API_KEY=xyz",), labels={"token": "xyz"})
    found = texts(compare(image(config=before), image(config=after)))
    assert [each[1] for each in found] == ["env API_KEY", "labels token"]
    assert "abc" not in str(found)
    assert "xyz" not in str(found)


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        (file("x", size=1000), file("y", size=12000), "1,000 bytes", "12,000 bytes"),
        (file("x"), file("y"), "1 byte, sha256 xxxxxxxxxxxx", "1 byte, sha256 yyyyyyyyyyyy"),
        (file(mode=0o644), file(mode=0o4755), "mode 0644", "mode 4755"),
        (file(uid=0), file(uid=1000), "owner 0:0", "owner 1000:1000"),
        (FOLDER, replace(FOLDER, mode=0o1777, uid=7), "mode 0755, owner 0:0", "mode 1777, owner 7:0"),
        (file(), Entry("symlink", 0o777, 0, 0, link="x"), "file, 1 byte, mode 0644, owner 0:0", "symlink to x"),
        (
            Entry("symlink", 0o777, 0, 0, link="x"), Entry("symlink", 0o777, 0, 0, link="y"), "to x", "to y",
        ),
        (
            Entry("character device", 0o666, 0, 0, link="1:3"), FOLDER,
            "character device 1:3, mode 0666, owner 0:0", "folder",
        ),
    ],
)  # fmt: skip
def test_what_changed_of_a_file_is_said(before: Entry, after: Entry, old: str, new: str) -> None:
    assert texts(compare(image({"/a": before}), image({"/a": after}))) == [("changed", "/a", old, new, "")]


def test_files_with_equal_normalised_content_are_equal_whatever_their_size() -> None:
    assert compare(image({"/a": file(size=5)}), image({"/a": file(size=6)})) == ()


def test_a_folder_that_is_gone_or_new_is_one_difference() -> None:
    old = {f"/old/d/{number}": file(size=1_500) for number in range(1000)} | {"/old/e": FOLDER}
    found = compare(image(old), image({"/new/a": file(size=3)}))
    assert texts(found) == [
        ("removed", "/old", "folder, 1,000 files, 1.5 MB", "", ""),
        ("added", "/new", "", "folder, 1 file, 3 bytes", ""),
    ]


def test_a_folder_with_something_left_is_not_summarised() -> None:
    found = compare(image({"/d/a": file(), "/d/b": file()}), image({"/d/a": file()}))
    assert [(each.kind, each.what) for each in found] == [("removed", "/d/b")]


def test_a_folder_that_becomes_a_symlink_is_one_difference() -> None:
    found = compare(image({"/d/a": file()}), image({"/d": Entry("symlink", 0o777, 0, 0, link="/e")}))
    assert texts(found) == [("changed", "/d", "folder, 1 file, 1 byte", "symlink to /e", "")]


def test_noise_has_its_reason_and_is_last() -> None:
    before = image({"/var/log/a": file("x"), "/zz": file("x")})
    after = image({"/var/log/a": file("y"), "/zz": file("y"), "/app/__pycache__/a.pyc": file()})
    found = compare(before, after)
    assert [each.what for each in found] == ["/zz", "/app", "/var/log/a"]
    assert [bool(each.reason) for each in found] == [False, True, True]


def test_mode_and_owner_are_never_noise() -> None:
    before, after = image({"/var/log/a": file("x")}), image({"/var/log/a": file("y", uid=7)})
    assert reasons(compare(before, after)) == {"/var/log/a": ""}


def status(*packages: str) -> bytes:
    return "\n\n".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}"
        for name, _, version in (package.partition("=") for package in packages)
    ).encode()


def debian(files: Mapping[str, bytes | Entry], *packages: str) -> Image:
    base: dict[str, bytes | Entry] = {
        "/lib": Entry("symlink", 0o777, 0, 0, link="usr/lib"),
        "/usr/bin/base": b"base",
        "/etc/passwd": b"root:x:0:0::/root:/bin/sh\n",
        "/var/lib/dpkg/status": status(*packages),
    }
    return image({**base, **files})


GCC: dict[str, bytes | Entry] = {
    "/usr/bin/gcc-12": b"gcc", "/usr/lib/gcc/cc1": b"cc1", "/usr/lib/gcc/x.o": b"o",
    "/usr/bin/cc": Entry("symlink", 0o777, 0, 0, link="/etc/alternatives/cc"),
    "/etc/alternatives/cc": Entry("symlink", 0o777, 0, 0, link="/usr/bin/gcc-12"),
    "/var/lib/dpkg/info/gcc.list": b"/.\n/usr\n/usr/bin\n/usr/bin/gcc-12\n/lib/gcc\n/lib/gcc/cc1\n/lib/gcc/x.o\n",
    "/var/lib/dpkg/info/gcc.postinst": b"addgroup --system _gcc\ntouch /etc/gcc.conf\n",
    "/etc/gcc.conf": b"",
    "/var/cache/apt/archives/gcc_4%3a12_amd64.deb": b"deb",
    "/etc/passwd": b"root:x:0:0::/root:/bin/sh\n_gcc:x:101:102::/:/bin/false\n",
}  # fmt: skip


def test_the_files_of_a_package_are_counted_in_its_difference() -> None:
    found = compare(debian(GCC, "gcc=4:12"), debian({}))
    paths = [path for path in GCC if "gcc" in path and path != "/etc/gcc.conf"]
    size = sum(len(content) for path in paths if isinstance(content := GCC[path], bytes))
    assert texts(found[:1]) == [("package", "dpkg:gcc", f"4:12, {len(paths)} files, {size} bytes", "", "")]
    follows = "follows from the packages that differ"
    assert reasons(found[1:]) == dict.fromkeys(
        ["/etc/alternatives", "/usr/bin/cc", "/etc/gcc.conf", "/etc/passwd", "/var/lib/dpkg/status"], follows
    )


def test_a_file_of_the_user_among_those_of_a_package_is_listed() -> None:
    before = debian(GCC | {"/usr/lib/gcc/mine": b"mine", "/usr/lib/gcc/sub/mine": b"mine"}, "gcc=4:12")
    found = {each.what for each in compare(before, debian({})) if not each.reason}
    assert found == {"dpkg:gcc", "/usr/lib/gcc/mine", "/usr/lib/gcc/sub"}


@pytest.mark.parametrize(
    "line",
    [
        "app:x:1000:1000::/:/bin/sh",  # not a system account
        "app:x:200:200::/:/bin/sh",  # no script names it
        "_gcc:x:0:0::/:/bin/sh",  # root under another name
        "_gcc:x:junk",
    ],
)
def test_an_account_that_no_package_made_is_listed(line: str) -> None:
    before = debian(GCC | {"/etc/passwd": f"root:x:0:0::/root:/bin/sh\n{line}\n".encode()}, "gcc=4:12")
    assert reasons(compare(before, debian({})))["/etc/passwd"] == ""


def test_a_changed_account_is_listed() -> None:
    files = GCC | {"/etc/passwd": b"root:x:0:0::/root:/bin/bash\n_gcc:x:101:102::/:/bin/false\n"}
    assert reasons(compare(debian(files, "gcc=4:12"), debian({})))["/etc/passwd"] == ""


def test_the_accounts_that_are_new_or_gone_are_said_without_passwords() -> None:
    before = image({"/etc/passwd": b"root:x:0:0::/root:/bin/sh\nold:x:7:7::/:/bin/sh\n"})
    after = image({"/etc/passwd": b"root:x:0:0::/root:/bin/sh\napp:HASH:1000:1000::/home/app:/bin/sh\n"})
    assert texts(compare(before, after)) == [
        ("changed", "/etc/passwd", "47 bytes; old:x:7:7::/:/bin/sh", "64 bytes; app:x:1000:1000::/home/app:/bin/sh", "")
    ]


def test_a_changed_system_account_is_listed() -> None:
    def files(shell: str) -> dict[str, bytes | Entry]:
        return {**GCC, "/etc/passwd": f"_gcc:x:101:102::/:{shell}\n".encode()}

    after = debian({"/etc/passwd": b"_gcc:x:101:102::/:/bin/bash\n"})
    assert reasons(compare(debian(files("/bin/false"), "gcc=4:12"), after))["/etc/passwd"] == ""
    assert "/etc/passwd" not in reasons(compare(debian(files("/bin/bash"), "gcc=4:12"), after))


def test_a_changed_file_that_a_package_no_longer_owns_is_listed() -> None:
    listed = {"/var/lib/dpkg/info/a.list": b"/usr/bin/a\n"}
    before = debian({**listed, "/usr/bin/a": b"1"}, "a=1")
    assert reasons(compare(before, debian({"/usr/bin/a": b"2"}, "a=2")))["/usr/bin/a"] == ""
    assert reasons(compare(before, debian({"/usr/bin/a": b"2"})))["/usr/bin/a"] == ""


def test_databases_count_if_no_package_differs() -> None:
    before, after = debian({"/etc/alternatives/cc": b"x"}, "a=1"), debian({"/etc/alternatives/cc": b"y"}, "a=1")
    assert reasons(compare(before, after)) == {"/etc/alternatives/cc": ""}


def test_a_package_of_another_manager_explains_no_database() -> None:
    metadata = {"/usr/lib/python3/site-packages/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n"}
    found = compare(image(metadata | {"/etc/ld.so.cache": b"x"}), image({"/etc/ld.so.cache": b"y"}))
    assert reasons(found)["/etc/ld.so.cache"] == ""


def test_another_version_of_a_package_covers_its_changed_files() -> None:
    listed = {"/var/lib/dpkg/info/a.list": b"/usr/bin/a\n"}
    before = debian(listed | {"/usr/bin/a": b"1", "/usr/bin/b": b"1"}, "a=1")
    after = debian(listed | {"/usr/bin/a": b"2", "/usr/bin/b": b"2"}, "a=2")
    found = [each for each in texts(compare(before, after)) if not each[-1]]
    assert [each[:2] for each in found] == [("package", "dpkg:a"), ("changed", "/usr/bin/b")]
    assert found[0][2:4] == ("1", "2")


@pytest.mark.parametrize(
    ("packages", "more_allowed", "fewer_allowed"),
    [(Packages.SAME, False, False), (Packages.FEWER, False, True), (Packages.ANY, True, True)],
)
def test_a_promise_of_packages(packages: Packages, more_allowed: bool, fewer_allowed: bool) -> None:
    with_gcc, without = debian(GCC, "gcc=4:12"), debian({})
    promise = Promise(packages=packages)
    assert all(check(promise, without, with_gcc).values()) is more_allowed
    assert all(check(promise, with_gcc, without).values()) is fewer_allowed


def test_fewer_packages_are_not_another_version() -> None:
    assert check(Promise(packages=Packages.FEWER), debian({}, "a=1"), debian({}, "a=2"))["dpkg:a"] == ""


def test_a_promise_names_parts_of_the_configuration() -> None:
    before, after = image(config=ImageConfig(user="a", env=("A=1",))), image(config=ImageConfig(env=("A=2",)))
    promise = Promise(config=frozenset({Part.ENV}))
    assert check(promise, before, after) == {"user": "", "env A": "promised by rule"}


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/etc/passwd", "/etc/passwd", True),
        ("/etc/passwd", "/x/etc/passwd", False),
        ("/var/cache/apk/**", "/var/cache/apk/a/b", True),
        ("/var/cache/apk", "/var/cache/apk/a/b", True),
        ("/var/cache/*", "/var/cache/apk/a/b", True),
        ("/var/*.d", "/var/a/b.d", False),
        ("**/.cache", "/home/x/.cache/y", True),
        ("**/*.pyo", "/a/b.pyo", True),
    ],
)
def test_a_promise_names_files(pattern: str, path: str, matches: bool) -> None:
    base = image({"/var/cache/apk/a/keep": file()})
    for promise, before, after in [
        (Promise(adds=(pattern,)), base, with_file(base, path, file())),
        (Promise(removes=(pattern,)), with_file(base, path, file()), base),
        (Promise(changes=(pattern,)), with_file(base, path, file("a")), with_file(base, path, file("b"))),
    ]:
        assert all(check(promise, before, after).values()) is matches
        assert not any(check(Promise(), before, after).values())


def with_file(before: Image, path: str, entry: Entry) -> Image:
    tree = dict(before.tree)
    parts = path.split("/")
    for end in range(2, len(parts)):
        tree.setdefault("/".join(parts[:end]), FOLDER)
    return replace(before, tree=tree | {path: entry})


def test_a_promise_to_remove_does_not_allow_a_change() -> None:
    before, after = image({"/a": file("x")}), image({"/a": file("y")})
    assert check(Promise(removes=("/a",), adds=("/a",)), before, after) == {"/a": ""}


def test_a_folder_that_is_allowed_in_parts_is_split() -> None:
    before = image(
        {"/c/good/a": file(), "/c/good/b": file(), "/c/bad/a": file(), "/c/bad/b": file(), "/c/x.pyc": file()}
    )
    assert check(Promise(removes=("/c/good/**",)), before, image()) == {
        "/c/bad": "", "/c/good": "promised by rule", "/c/x.pyc": compare(image({"/x.pyc": file()}), image())[0].reason,
    }  # fmt: skip
    assert check(Promise(removes=("/c/*/**",)), before, image()) == {"/c": "promised by rule"}


def test_an_empty_folder_must_be_promised() -> None:
    before = image({"/c/empty": FOLDER, "/c/a": file()})
    assert check(Promise(removes=("/c/a",)), before, image()) == {"/c/a": "promised by rule", "/c/empty": ""}


def test_each_rule_may_allow_a_part() -> None:
    before, after = image({"/a/x": file(), "/a/y": file(), "/z": file()}), image()
    promises = {"two": Promise(removes=("/a/y",)), "one": Promise(removes=("/a/x", "/z"))}
    found = allowed(compare(before, after), promises, before, after)
    assert reasons(found) == {"/a": "promised by one, two", "/z": "promised by one"}


def test_what_differs_between_two_builds_is_unstable() -> None:
    before, again = (
        image({"/id": file("a"), "/r/1": file(), "/keep": file()}),
        image({"/id": file("b"), "/r/2": file(), "/keep": file()}),
    )
    after = image({"/id": file("c"), "/r/3": file()})
    found = unstable(compare(before, after), compare(before, again))
    assert reasons(found) == {"/keep": "", "/id": UNSTABLE, "/r/1": UNSTABLE, "/r/3": UNSTABLE}
    assert found[0].what == "/keep"


def test_a_new_file_beside_an_unstable_one_is_a_difference() -> None:
    before, again = image({"/r/1": file()}), image({"/r/2": file()})
    found = unstable(compare(before, image({"/r/3": file(), "/r/evil": file()})), compare(before, again))
    assert reasons(found)["/r/evil"] == ""


@pytest.mark.parametrize("after", [file("c", uid=7), file("c", mode=0o755), FOLDER])
def test_another_owner_of_an_unstable_file_is_a_difference(after: Entry) -> None:
    before, again = image({"/id": file("a")}), image({"/id": file("b")})
    found = unstable(compare(before, image({"/id": after})), compare(before, again))
    assert reasons(found) == {"/id": ""}


def test_other_content_of_a_file_with_an_unstable_mode_is_a_difference() -> None:
    before = image({"/a": file("x")})
    repeated = compare(before, image({"/a": file("x", mode=0o600)}))
    assert reasons(unstable(compare(before, image({"/a": file("y")})), repeated)) == {"/a": ""}


def test_a_package_that_is_gone_is_not_excused_by_a_new_version() -> None:
    before, again = debian({}, "a=1"), debian({}, "a=2")
    repeated = compare(before, again)
    assert reasons(unstable(compare(before, debian({}, "a=3")), repeated))["dpkg:a"] == UNSTABLE
    assert reasons(unstable(compare(before, debian({})), repeated))["dpkg:a"] == ""


def owned(paths: Mapping[str, Entry], uid: int) -> Image:
    base = image(paths)
    tree = {path: replace(entry, uid=uid) if path.startswith("/app") else entry for path, entry in base.tree.items()}
    return replace(base, tree=tree)


APP = {"/app/a/b": file(), "/app/c": file("y"), "/app/l": Entry("symlink", 0o777, 0, 0, link="c"), "/x": file()}


def test_another_owner_of_a_whole_folder_is_one_difference() -> None:
    before, after = owned(APP, 0), owned(APP, 1000)
    found = compare(before, after)
    assert texts(found) == [("changed", "/app", "owner 0:0", "owner 1000:0, and all that is below: 4", "")]
    assert check(Promise(changes=("/app/**",)), before, after)["/app"] == ""
    assert check(Promise(changes=("/app",)), before, after) == {"/app": "promised by rule"}
    assert check(Promise(changes=("/app/a",)), before, after) == {
        "/app": "", "/app/a": "promised by rule", "/app/c": "", "/app/l": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changed", [{"/app/c": file("z")}, {"/app/c": file("y", mode=0o600)}, {"/app/new": file()}, {"/app/a/n": file()}]
)
def test_a_folder_in_which_something_else_differs_is_not_summarised(changed: dict[str, Entry]) -> None:
    found = compare(owned(APP, 0), owned({**APP, **changed}, 1000))
    assert ("changed", "/app", "owner 0:0", "owner 1000:0", "") in texts(found)
    assert {"/app/c", "/app/l"} <= {each.what for each in found}


def test_a_folder_in_which_one_file_stays_is_not_summarised() -> None:
    before, after = owned(APP, 0), owned(APP, 1000)
    after = replace(after, tree={**after.tree, "/app/c": before.tree["/app/c"]})
    assert [each.what for each in compare(before, after)] == ["/app", "/app/a", "/app/l"]


def test_one_of_several_versions_of_a_package_is_fewer() -> None:
    def node(*versions: str) -> Image:
        return image({f"/{v}/node_modules/a/package.json": f'{{"version": "{v}"}}'.encode() for v in versions})

    assert check(Promise(packages=Packages.FEWER), node("1", "2"), node("2"))["npm:a"] == "promised by rule"
    assert check(Promise(packages=Packages.FEWER), node("1", "2"), node("2", "3"))["npm:a"] == ""


def test_reasons_that_exist_are_kept() -> None:
    difference = Difference("changed", "/var/log/a", "1", "2", "logs")
    assert unstable([difference], [replace(difference, reason="")]) == (difference,)
    assert allowed([difference], {"r": Promise(changes=("/var/**",))}, image(), image()) == (difference,)


def test_measurements() -> None:
    before = replace(image({"/a/b": file(size=5), "/c": file()}), layers=(Layer(6), Layer(0, "ENV", True), Layer(4)))
    found = {each.what: (each.unit, each.before, each.after) for each in measurements(before, debian({}, "a=1"))}
    assert found == {
        "image size": ("bytes", (10,), (0,)), "layers": ("layers", (2,), (0,)), "files": ("files", (2,), (4,)),
        "packages": ("packages", (0,), (1,)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (150_000, "150 kB"),
        (48_100_000, "48.1 MB"),
        (1, "1 byte"),
        (2.5e12, "2,500 GB"),
    ],
)
def test_sizes_are_readable(size: float, text: str) -> None:
    assert size_text(size) == text


def test_a_large_image_takes_seconds() -> None:
    files = {f"/d{number % 300}/e{number % 7}/f{number}": file() for number in range(20_000)}
    before, after = image(files), image({path: replace(entry, uid=1) for path, entry in files.items()})
    started = time.process_time()
    found = allowed(compare(before, after), {"r": Promise(changes=("/d1*/**", "**/*9"))}, before, after)
    assert len(found) == 20_000
    assert time.process_time() - started < 15


def test_a_deep_tree_does_no_harm() -> None:
    deep = "/" + "/".join("d" * 1500) + "/f"
    assert [each.what for each in compare(image({deep: file()}), image())] == ["/d"]


@pytest.mark.parametrize(("owner", "allowed_"), [(0, True), (7, False)])
def test_an_empty_folder_above_a_promised_place_is_allowed_if_it_has_the_owner_of_its_folder(
    owner: int, allowed_: bool
) -> None:
    base = image({"/root": replace(FOLDER, uid=0)})
    after = replace(base, tree={**base.tree, "/root/.cache": replace(FOLDER, uid=owner)})
    found = check(Promise(adds=("/root/.cache/pip",)), base, after)
    assert found == {"/root/.cache": "promised by rule" if allowed_ else ""}
