"""Which installs of a JavaScript project leave out dev dependencies because of NODE_ENV, and which commands build.

Seen with npm 10 and pnpm 8 and 9: `NODE_ENV=production` drops them; pnpm 10 installs them anyway. npm:
docs.npmjs.com/cli/configuring-npm/config, `omit`; Yarn 1: classic.yarnpkg.com/docs/cli/install, `--production`; Yarn 2
and later ignore NODE_ENV (yarnpkg.com/migration/guide), and so does Bun.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dockfix.facts.model import Fact, Known
from dockfix.facts.packages import Action, PackageCommand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dockfix.facts.commands import Step

_MANAGERS: Final = frozenset(("npm", "pnpm", "yarn"))
_DEPENDENCY_OPTIONS: Final = (
    *("--include", "--omit", "--production", "--prod", "--only", "--also", "--dev", "--global"),
    *("--immutable", "--mode"),
)
"""Options that override NODE_ENV, or that only Yarn 2 and later know."""
_SETTINGS: Final = frozenset(
    (
        *("npm_config_production", "npm_config_include", "npm_config_omit", "npm_config_only", "npm_config_also"),
        *("npm_config_dev", "yarn_production", "yarn_enable_global_cache", "yarn_enable_immutable_installs"),
    )
)
_TOOLS: Final = frozenset(
    ("tsc", "vite", "next", "nuxt", "ng", "webpack", "rollup", "esbuild", "nest", "turbo", "vue-cli-service")
)
_BUILDING: Final = frozenset(("build", "compile", "generate"))
_VERSIONED: Final = re.compile(r"(?P<name>pnpm|yarn|npm)@\^?(?P<major>\d{1,3})(?:\.|\Z)", re.ASCII)
_BUILD_SCRIPT: Final = re.compile(r"(?:build|compile|bundle|transpile|tsc)(?:[:-].*)?\Z")


def installs_from_manifest(step: Step) -> bool:
    """Whether a command installs what a `package.json` lists, with npm, pnpm or Yarn."""
    package = step.package
    return package is not None and package.manager in _MANAGERS and package.action is Action.SYNC


def keeps_dev(step: Step, env: Mapping[str, Fact[str]], major: Mapping[str, int]) -> bool:
    """Whether an install includes dev dependencies, or may, although NODE_ENV is production in its stage.

    `env` is the environment of the stage, `major` has the known major versions of package managers.
    """
    package = step.package
    if package is None or package.unknown_operands or package.option(*_DEPENDENCY_OPTIONS) is not None:
        return True
    if any(not option.known for option in package.options):
        return True
    if "NODE_ENV" in package.assignments() or "NODE_ENV" in step.env or step.opaque:
        return True
    if _SETTINGS & {name.lower() for name in (*env, *step.env, *package.assignments())}:
        return True
    return major.get(package.manager, 0) >= {"yarn": 2, "pnpm": 10}.get(package.manager, 1000)


def versions_named(steps: Iterable[Step]) -> dict[str, int]:
    """The major versions of package managers in commands that name one as `pnpm@10.4.1`, for npm or corepack."""
    found: dict[str, int] = {}
    for step in steps:
        for word in step.command.words:
            match = _VERSIONED.match(word.value or "")
            if match is not None:
                found[match["name"]] = int(match["major"])
    return found


def build_tool(step: Step) -> str:
    """The build that a command starts, as it is spelled (`npm run build`, `tsc`); empty if it starts none."""
    words = [word.value or "" for word in step.command.words]
    package = step.package
    if package is not None and package.manager in (*_MANAGERS, "bun"):
        return _by_manager(package, words)
    return _by_tool(words)


def _by_manager(package: PackageCommand, words: list[str]) -> str:
    verb = package.verb[-1] if package.verb else ""
    operands = [word.value or "" for word in package.packages]
    script = verb
    if package.verb and package.verb[0] in ("run", "run-script"):
        script = operands[0] if operands else ""
    if package.action in (Action.BUILD, Action.RUN) and _BUILD_SCRIPT.match(script):
        return " ".join((package.executable.value or package.manager, *(["run"] if script != verb else []), script))
    if package.action is Action.RUN:
        at = operands[0] if operands else ""
        return _by_tool(words[words.index(at) :] if at in words else words[1:])
    return ""


def _by_tool(words: list[str]) -> str:
    name = words[0].rpartition("/")[2] if words else ""
    if name not in _TOOLS:
        return ""
    verb = next((word for word in words[1:] if not word.startswith("-")), "")
    if name in ("tsc", "webpack", "rollup", "esbuild"):
        return name
    if verb in _BUILDING or (name == "turbo" and verb == "run" and "build" in words):
        return f"{name} {verb if verb != 'run' else 'run build'}"
    return ""


def is_production(fact: Fact[str] | None) -> bool:
    """Whether NODE_ENV is known to be production."""
    return isinstance(fact, Known) and fact.value == "production"
