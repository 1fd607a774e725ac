"""What edits of source files and changes of build arguments show, on a builder in Python."""

import os
import re
import stat
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

import pytest

from dockfix.verify.arg_change import arg_change, moved_args, other_values
from dockfix.verify.edited_files import choose_file
from dockfix.verify.model import BuildOutcome, State, Step
from dockfix.verify.scenarios import Side, reruns, shortened
from dockfix.verify.source_edit import edited, source_edit
from tests.verify.layers import Layers

MARK: Final = "t"

BEFORE = """FROM debian:12
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
RUN make
"""
AFTER = """FROM debian:12
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
RUN make
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context with documentation, programs and manifests."""
    files = {
        "README.md": "# App\n",
        "app.py": "print('hello')\n",
        "requirements.txt": "flask==3.0\n",
        "package.json": "{}\n",
        "docs/guide.md": "guide\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def sides(context: Path, before: str = BEFORE, after: str = AFTER, layers: Layers | None = None) -> tuple[Side, Side]:
    layers = layers or Layers()
    return layers.side(before, context), layers.side(after, context)


class TestReruns:
    def test_only_the_runs_that_are_not_cached_count(self) -> None:
        steps = (Step("RUN a", True), Step("run b", False), Step("COPY . .", False), Step("RUNNER", False))
        outcome = BuildOutcome(True, 1.0, steps)
        assert [step.text for step in reruns(outcome)] == ["run b"]

    def test_long_reasons_keep_their_end(self) -> None:
        assert shortened("a " * 200 + "exit status 2").endswith("exit status 2")
        assert shortened("one\n two") == "one two"


class TestChooseFile:
    def test_documentation_comes_first(self, context: Path) -> None:
        candidate = choose_file(*sides(context))
        assert candidate is not None
        assert (candidate.path, candidate.before, candidate.after) == ("README.md", 2, 1)

    def test_a_program_if_there_is_no_documentation(self, context: Path) -> None:
        (context / "README.md").unlink()
        (context / "docs/guide.md").unlink()
        candidate = choose_file(*sides(context))
        assert candidate is not None
        assert candidate.path == "app.py"

    def test_never_a_manifest(self, context: Path) -> None:
        for name in ("README.md", "docs/guide.md", "app.py"):
            (context / name).unlink()
        (context / "poetry.lock").write_text("")
        (context / ".npmrc").write_text("")
        assert choose_file(*sides(context)) is None

    def test_never_a_file_that_an_install_names(self, context: Path) -> None:
        (context / "deps.txt").write_text("flask\n")
        (context / "README.md").unlink()
        (context / "docs/guide.md").unlink()
        before, after = (text.replace("requirements.txt", "deps.txt") for text in (BEFORE, AFTER))
        candidate = choose_file(*sides(context, before, after))
        assert candidate is not None
        assert candidate.path == "app.py"

    def test_no_file_that_is_not_sent(self, context: Path) -> None:
        (context / ".dockerignore").write_text("**/*.md\n")
        candidate = choose_file(*sides(context))
        assert candidate is not None
        assert candidate.path == "app.py"

    def test_only_a_file_that_the_fixes_save_a_run(self, context: Path) -> None:
        before = BEFORE.replace("COPY . .", "COPY README.md requirements.txt ./\nCOPY docs docs")
        after = before.replace("COPY docs docs\nRUN pip install -r requirements.txt\n",
                               "RUN pip install -r requirements.txt\nCOPY docs docs\n")  # fmt: skip
        candidate = choose_file(*sides(context, before, after))
        assert candidate is not None
        assert candidate.path == "docs/guide.md"

    def test_stages_that_are_not_built_do_not_count(self, context: Path) -> None:
        tail = "FROM debian:12\nRUN make\n"
        layers = Layers()
        assert choose_file(*sides(context, BEFORE + tail, AFTER + tail)) is None
        named = BEFORE.replace("debian:12", "debian:12 AS a"), AFTER.replace("debian:12", "debian:12 AS a")
        pair = (layers.side(text + tail, context, stage="a") for text in named)
        assert choose_file(*pair) is not None

    def test_a_stage_that_takes_from_a_changed_stage_runs_again(self, context: Path) -> None:
        tail = "FROM debian:12\nRUN one\nCOPY --from=0 /app /app\nRUN two\n"
        candidate = choose_file(*sides(context, BEFORE + tail, AFTER + tail))
        assert candidate is not None
        assert (candidate.before, candidate.after) == (3, 2)

    def test_a_stage_based_on_a_changed_stage_runs_again(self, context: Path) -> None:
        tail = "FROM base\nRUN test\n"
        named = (text.replace("debian:12", "debian:12 AS base") + tail for text in (BEFORE, AFTER))
        before, after = named
        candidate = choose_file(*sides(context, before, after))
        assert candidate is not None
        assert (candidate.before, candidate.after) == (3, 2)

    def test_a_copy_that_is_not_known_leaves_a_broken_claim_open(self, context: Path) -> None:
        """Without it, the same two sides show that the claim is broken."""
        assert choose_file(*sides(context, BEFORE, BEFORE)) is not None
        unknown = BEFORE.replace("COPY . .", "ARG SOURCE\nCOPY $SOURCE /src\nCOPY . .")
        assert choose_file(*sides(context, unknown, unknown)) is None

    def test_a_bind_mount_takes_the_context(self, context: Path) -> None:
        before = "FROM debian:12\nRUN --mount=type=bind,target=/src make\nRUN pip install flask\n"
        after = "FROM debian:12\nRUN pip install flask\nRUN --mount=type=bind,target=/src make\n"
        candidate = choose_file(*sides(context, before, after))
        assert candidate is not None
        assert (candidate.before, candidate.after) == (2, 1)

    def test_no_binary_and_no_link(self, context: Path) -> None:
        (context / "README.md").write_bytes(b"\xff\xfe\0")
        (context / "docs/guide.md").unlink()
        (context / "docs/guide.md").symlink_to("../app.py")
        candidate = choose_file(*sides(context))
        assert candidate is not None
        assert candidate.path == "app.py"


class TestEdited:
    def test_the_file_is_restored_exactly(self, context: Path) -> None:
        path = context / "README.md"
        path.chmod(0o440)
        os.utime(path, ns=(10**18, 10**18 + 7))
        data = path.read_bytes()
        with edited(path, "a"):
            assert path.read_bytes().startswith(data)
            assert path.read_bytes()[len(data) :].strip() == b""
            assert path.read_bytes() != data
        assert path.read_bytes() == data
        assert stat.S_IMODE(path.stat().st_mode) == 0o440
        assert path.stat().st_mtime_ns == 10**18 + 7

    def test_also_after_an_exception(self, context: Path) -> None:
        with pytest.raises(KeyboardInterrupt), edited(context / "README.md", "a"):
            raise KeyboardInterrupt
        assert (context / "README.md").read_text() == "# App\n"

    def test_each_token_gives_another_content(self, context: Path) -> None:
        contents = set()
        for token in ("a", "b", "c"):
            with edited(context / "README.md", token):
                contents.add((context / "README.md").read_bytes())
        assert len(contents) == 3


class TestSourceEdit:
    def test_fewer_runs_are_run_again(self, context: Path) -> None:
        result = source_edit(*sides(context), token=MARK, runs=2)
        assert result.state is State.KEPT
        assert result.evidence[0] == (
            "after an edit of README.md, 2 RUN steps are run again before the fixes and 1 after"
        )
        assert result.evidence[1] == "with COPY and other steps, 3 before and 2 after"
        assert result.evidence[3:] == ("saved: line 4: RUN pip install -r requirements.txt",)
        counts = {each.what: (each.before, each.after) for each in result.measurements}
        assert counts["RUN steps run again after an edit of README.md"] == ((2, 2), (1, 1))
        assert counts["all steps run again after an edit of README.md"] == ((3, 3), (2, 2))
        assert (context / "README.md").read_text() == "# App\n"

    def test_a_fix_that_moves_nothing_is_broken(self, context: Path) -> None:
        result = source_edit(*sides(context, after=BEFORE + 'CMD ["x"]\n'), token=MARK)
        assert result.state is State.BROKEN
        assert result.evidence[0].endswith("2 RUN steps are run again before the fixes and 2 after")

    def test_a_fix_that_makes_it_worse_is_broken(self, context: Path) -> None:
        result = source_edit(*sides(context, AFTER, BEFORE), token=MARK)
        assert result.state is not State.KEPT

    def test_the_second_side_does_not_find_the_layers_of_the_first(self, context: Path) -> None:
        """Both files begin with the same steps: an edit that both sides shared would be cached on the second."""
        same = BEFORE + "RUN more\n"
        result = source_edit(*sides(context, same, same), token=MARK)
        assert result.state is State.BROKEN
        counts = result.measurements[1]
        assert (counts.before, counts.after) == ((3.0,), (3.0,))

    def test_a_second_run_of_dockfix_finds_no_layers_of_the_first(self, context: Path) -> None:
        layers = Layers()
        for token in ("one", "two"):
            assert source_edit(*sides(context, layers=layers), token=token).state is State.KEPT

    def test_a_build_that_fails_shows_nothing(self, context: Path) -> None:
        layers = Layers(fails=lambda text, _: "make: *** [all] Error 2" if "make" in text else "")
        result = source_edit(*sides(context, layers=layers), token=MARK)
        assert result.state is State.NOT_SHOWN
        assert result.evidence == ("the build fails before the fixes: make: *** [all] Error 2",)

    def test_a_build_that_fails_only_after_the_edit_shows_nothing_and_restores(self, context: Path) -> None:
        def fails(_text: str, _args: Mapping[str, str]) -> str:
            return "lint" if (context / "README.md").read_text() != "# App\n" else ""

        result = source_edit(*sides(context, layers=Layers(fails=fails)), token=MARK)
        assert result.state is State.NOT_SHOWN
        assert "after an edit of README.md" in result.evidence[0]
        assert (context / "README.md").read_text() == "# App\n"

    def test_without_a_file_nothing_is_shown(self, tmp_path: Path) -> None:
        result = source_edit(*sides(tmp_path), token=MARK)
        assert (result.state, len(result.evidence)) == (State.NOT_SHOWN, 1)


ARG_BEFORE = """FROM debian:12
ARG GIT_SHA=unknown
RUN apt-get update && apt-get install -y curl
RUN make
RUN echo "$GIT_SHA" > /version
"""
ARG_AFTER = """FROM debian:12
RUN apt-get update && apt-get install -y curl
RUN make
ARG GIT_SHA=unknown
RUN echo "$GIT_SHA" > /version
"""


class TestArgChange:
    def test_fewer_runs_are_run_again(self, tmp_path: Path) -> None:
        result = arg_change(*sides(tmp_path, ARG_BEFORE, ARG_AFTER), token=MARK, runs=2)
        assert result.state is State.KEPT
        assert result.evidence[0] == (
            "after a change of the ARG GIT_SHA, 3 RUN steps are run again before the fixes and 1 after"
        )
        assert result.measurements[1].before == (3, 3)
        assert result.measurements[1].after == (1, 1)

    def test_no_arg_has_moved(self, tmp_path: Path) -> None:
        assert arg_change(*sides(tmp_path, ARG_AFTER, ARG_AFTER), token=MARK).state is State.NOT_SHOWN
        assert arg_change(*sides(tmp_path, ARG_AFTER, ARG_BEFORE), token=MARK).state is State.NOT_SHOWN

    def test_a_builder_that_runs_all_again_shows_a_broken_claim(self, tmp_path: Path) -> None:
        """The claim is decided by what the builder does, not by the position of the ARG."""
        layers = Layers()
        before, after = sides(tmp_path, ARG_BEFORE, ARG_AFTER, layers)

        def build(text: str, *, args: Mapping[str, str] | None = None, **_: bool) -> BuildOutcome:
            outcome = after.build(text, args=args)
            return BuildOutcome(True, 1.0, tuple(Step(step.text, not args) for step in outcome.steps))

        changed = Side(after.target, after.context, build)
        result = arg_change(before, changed, token=MARK)
        assert result.state is State.BROKEN

    def test_a_value_that_breaks_both_builds_shows_nothing(self, tmp_path: Path) -> None:
        layers = Layers(fails=lambda _, args: "404 not found" if args.get("GIT_SHA", "unknown") != "unknown" else "")
        result = arg_change(*sides(tmp_path, ARG_BEFORE, ARG_AFTER, layers), token=MARK)
        assert result.state is State.NOT_SHOWN
        assert result.evidence == ("the build fails with another value of the ARG GIT_SHA: 404 not found",)

    def test_a_value_that_fails_once_before_shows_nothing(self, tmp_path: Path) -> None:
        """The value that fails after the fixes is tried before them, too."""
        before, after = sides(tmp_path, ARG_BEFORE, ARG_AFTER)
        tried: list[str] = []

        def old(text: str, *, args: Mapping[str, str] | None = None, **_: bool) -> BuildOutcome:
            tried.extend((args or {}).values())
            return before.build(text, args=args) if len(tried) < 2 else BuildOutcome(False, 1.0, reason="bad value")

        def new(text: str, *, args: Mapping[str, str] | None = None, **_: bool) -> BuildOutcome:
            return BuildOutcome(False, 1.0, reason="bad value") if args else after.build(text)

        pair = Side(before.target, tmp_path, old), Side(after.target, tmp_path, new)
        assert arg_change(*pair, token=MARK).state is State.NOT_SHOWN
        assert len(set(tried)) == 2

    def test_each_rebuild_has_a_value_of_its_own(self, tmp_path: Path) -> None:
        values: set[str] = set()

        def fails(_text: str, args: Mapping[str, str]) -> str:
            values.add(args.get("GIT_SHA", "unknown"))
            return ""

        arg_change(*sides(tmp_path, ARG_BEFORE, ARG_AFTER, Layers(fails=fails)), token=MARK, runs=2)
        assert len(values - {"unknown"}) == 4

    def test_a_value_that_breaks_only_the_build_after_breaks_the_claim(self, tmp_path: Path) -> None:
        before, after = sides(tmp_path, ARG_BEFORE, ARG_AFTER)

        def build(text: str, *, args: Mapping[str, str] | None = None, **_: bool) -> BuildOutcome:
            if args:
                return BuildOutcome(False, 1.0, reason="GIT_SHA is not set")
            return after.build(text, args=args)

        result = arg_change(before, Side(after.target, after.context, build), token=MARK)
        assert result.state is State.BROKEN
        assert "fails only after the fixes: GIT_SHA is not set" in result.evidence[0]

    def test_no_value_is_in_the_evidence(self, tmp_path: Path) -> None:
        """Also where the builder reports steps with the values of their variables, as BuildKit does."""
        layers = Layers(expands=True)
        pair = [layers.side(text, tmp_path, args={"GIT_SHA": "hunter2"}) for text in (ARG_BEFORE, ARG_AFTER)]
        result = arg_change(*pair, token=MARK)
        assert result.state is State.KEPT
        assert not any("hunter2" in line for line in result.evidence)
        assert result.evidence[3:] == (
            "saved: line 3: RUN apt-get update && apt-get install -y curl",
            "saved: line 4: RUN make",
        )

    def test_args_that_are_only_stored_come_first_and_secrets_last(self, tmp_path: Path) -> None:
        head = "ARG API_TOKEN=x\nARG VERSION=1.2.3\nARG SHA=x\n"
        tail = 'RUN curl https://x/$VERSION $API_TOKEN\nENV REV=$SHA\nLABEL rev="$SHA"\nRUN echo "$REV"\n'
        before = f"FROM debian:12\n{head}RUN make\n{tail}"
        after = f"FROM debian:12\nRUN make\n{head}{tail}"
        assert moved_args(*sides(tmp_path, before, after)) == ["SHA", "VERSION", "API_TOKEN"]

    def test_an_arg_of_a_stage_that_is_not_built_does_not_count(self, tmp_path: Path) -> None:
        tail = "FROM debian:12\nRUN make\n"
        assert moved_args(*sides(tmp_path, ARG_BEFORE + tail, ARG_AFTER + tail)) == []

    def test_at_most_three_args_are_changed(self, tmp_path: Path) -> None:
        head = "".join(f"ARG V{number}=x\n" for number in range(5))
        uses = "".join(f"LABEL l{number}=$V{number}\n" for number in range(5))
        before, after = f"FROM debian:12\n{head}RUN make\n{uses}", f"FROM debian:12\nRUN make\n{head}{uses}"
        result = arg_change(*sides(tmp_path, before, after), token=MARK)
        assert result.state is State.KEPT
        assert len(result.measurements) == 9
        assert result.evidence[-1] == "not tried: V3, V4"


@pytest.mark.parametrize(
    ("value", "like"),
    [
        ("0a1b2c3", r"[0-9a-f]{7}"),
        ("1000", r"\d{4}"),
        ("2024-05-01T10:00:00Z", r"20\d\d-\d\d-\d\dT10:00:00Z"),
        ("true", "false"),
        ("dev", "dev-dockfix[0-9a-f]{10}"),
        ("", "dockfix[0-9a-f]{10}"),
    ],
)
def test_another_value_is_of_the_same_kind(value: str, like: str) -> None:
    values = list(islice(other_values(value, "t"), 4))
    assert all(re.fullmatch(like, each) for each in values)
    assert value not in values
    assert len(set(values)) == (1 if value == "true" else 4)
    if value not in ("true", "1000"):
        assert not set(values) & set(islice(other_values(value, "u"), 4))
