"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct, field

from dockfix.project.policy import NO_POLICY, Policy, TargetContext
from dockfix.project.target import BuildOptions
from dockfix.rule.model import Diagnostic, Preset, Severity

if TYPE_CHECKING:
    from dockfix.project.config import Config
    from dockfix.rule.workspace import Workspace

Accept: TypeAlias = "Callable[[Workspace, Diagnostic], bool]"
"""Whether to apply a fix, given the files as they are now; the interactive mode asks the user."""


def _anywhere(_: Path) -> bool:
    return True


class Mode(Struct, frozen=True):
    """Whether a run applies fixes, and which.

    Args:
        fix: whether fixes are applied; else the run only checks.
        unsafe: whether unsafe fixes are also applied.
        accept: asked before each fix is applied.
        in_scope: whether a file that is not a Dockerfile of the run may have findings.
        single: whether the run has one Dockerfile, so that nothing need be collected for other files.
    """

    fix: bool = True
    unsafe: bool = False
    accept: Accept | None = None
    in_scope: Callable[[Path], bool] = _anywhere
    single: bool = False


class Settings(Struct, frozen=True):
    """What a run does: which rules it runs on which files, and how the files are built.

    Args:
        select: names of the rules to run, or codes that they answer; empty: the rules of `preset`.
        extend_select: the same of rules to run in addition to `select` or `preset`.
        ignore: the same of rules not to run.
        preset: the preset whose rules run, unless `select` says which rules run.
        unsafe: whether unsafe fixes are also applied.
        exclude: patterns as in `.gitignore`, relative to the root, of files and folders that a search leaves out.
        force_exclude: whether `exclude` also applies to files and folders that are named.
        context: the build context of every file; relative to the root unless absolute.
        build_contexts: named contexts, as for `docker build --build-context`.
        use_project: whether compose and bake files are read for how the files are built.
        respect_gitignore: whether a search leaves out the files that git ignores.
        jobs: how many processes to use for many files.
        base_images: the project's own base images, each with the public image that it is based on.
        compose: the compose files to read, merged in this order, instead of all that a search finds.
        rule_options: options of rules, by the class that the rule declares.
        policy: the severities of rules, and the rules that are ignored in some files.
        targets: the contexts of the Dockerfiles that match a pattern.
        fail_level: the lowest severity of a finding for which `check` fails; None if none does.
        fail_on_info_advice: whether `check` also fails for advice of severity info, if `fail_level` is info.
        baseline: the file with accepted findings, which `check` does not show.
        cache: a folder of the user for results of other programs; None: they are kept for the run only.
        config: the configuration file that these settings are from.
        nearest: the settings for the files below another configuration file, which is the nearest one up the tree from
            them; None if these settings are for all files.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    preset: Preset = Preset.RECOMMENDED
    unsafe: bool = False
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    context: Path | None = None
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    use_project: bool = True
    respect_gitignore: bool = True
    jobs: int = 1
    base_images: Mapping[str, str] = field(default_factory=dict)
    compose: tuple[Path, ...] = ()
    rule_options: Mapping[type[Any], object] = field(default_factory=dict)
    policy: Policy = NO_POLICY
    targets: tuple[TargetContext, ...] = ()
    fail_level: Severity | None = Severity.INFO
    fail_on_info_advice: bool = False
    baseline: Path | None = None
    cache: Path | None = None
    config: Path | None = None
    nearest: Callable[[Config], Settings] | None = field(default=None)

    @property
    def builds(self) -> BuildOptions:
        """How Dockerfiles are built, and the options of rules."""
        return BuildOptions(
            context=self.context,
            build_contexts=self.build_contexts,
            use_project=self.use_project,
            base_images=self.base_images,
            compose=self.compose,
            rule_options=self.rule_options,
            policy=self.policy,
            targets=self.targets,
            cache=self.cache,
        )
