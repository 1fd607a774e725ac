"""The findings of codemods, in one Dockerfile and over a project. Each codemod checks a text once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.engine.calls import Failed, all_of, call, check_finding
from dockfix.engine.relevance import may_apply, may_apply_to_project
from dockfix.engine.settings import Mode
from dockfix.project.policy import Policy
from dockfix.project.secrets import Secrets
from dockfix.project.target import BuildOptions, Project, Target, display
from dockfix.rule.model import Advice, Check, Codemod, Diagnostic, Finding, Fix, InOnbuild, Refusal, Safety, Severity
from dockfix.rule.suppression import Suppressions, suppresses_in_text
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Lines


class Findings(Struct):
    """The findings in one Dockerfile whose project does not change, remembered by rule and text."""

    _known: dict[tuple[str, str], list[Diagnostic] | Failed] = field(default_factory=dict)
    _suppressions: dict[str, Suppressions] = field(default_factory=dict)
    _lowered: tuple[str, str] = ("", "")

    def of(self, codemod: Codemod, target: Target) -> list[Diagnostic]:
        """The findings of a codemod in a Dockerfile.

        Raises:
            Failed: the codemod raised an exception or yielded nonsense, in this call or the first one.
        """
        key = (codemod.name, target.text)
        known = self._known.get(key)
        if known is None:
            try:
                known = self._check(codemod, target)
            except Failed as failed:
                known = failed
            self._known[key] = known
        if isinstance(known, Failed):
            raise known
        return known

    def _check(self, codemod: Codemod, target: Target) -> list[Diagnostic]:
        if codemod.check is None or target.own_options.policy.ignores(codemod.name, target.display):
            return []
        if not may_apply(codemod, target, self.lowered(target.text)):
            return []
        check = _whole_check(codemod.check, codemod.onbuild, self.lowered(target.text))
        results = call(codemod.name, _over_variants, target, check)
        if not results:
            return []
        suppressions = self._suppressions.setdefault(target.text, Suppressions(target.dockerfile))
        policy = target.own_options.policy
        return [
            _locate_in(target, codemod, finding)
            for finding in results
            if not suppressions.suppresses(codemod, finding.at, finding.code)
            if not (finding.code and policy.ignores_code(codemod.name, finding.code, target.display))
        ]

    def lowered(self, text: str) -> str:
        """A text in lower case; the last one is remembered, since all codemods need the same text."""
        if self._lowered[0] is not text:
            self._lowered = (text, text.lower())
        return self._lowered[1]


def _whole_check(check: Check, policy: InOnbuild, lowered: str) -> Check:
    """The check of a rule, and of the triggers of ONBUILD if the rule looks at them and the file has any."""
    if policy is InOnbuild.IGNORED or "onbuild" not in lowered:
        return check
    from dockfix.engine.triggers import findings_in_triggers  # noqa: PLC0415 - few files have triggers

    return lambda target: chain(check(target), findings_in_triggers(check, policy, target))


def _over_variants(target: Target, check: Check) -> list[Finding]:
    """The findings in a file that may be built in several contexts: a fix must be correct in each of them."""
    variants = target.variants
    results = [all_of(check(variant)) for variant in variants]
    for finding in (each for findings in results for each in findings):
        check_finding(finding, target.text, target.project.root)
    if len(results) == 1:
        return results[0]
    merged: list[Finding] = []
    for variant, findings in zip(variants, results, strict=True):
        for finding in findings:
            if not isinstance(finding, Fix):
                merged.append(finding)
                continue
            same = [_same_fix(finding, others) for others in results]
            if all(same):
                merged.append(next((fix for fix in same if fix and fix.safety is Safety.UNSAFE), finding))
            else:
                missing = next(each for each, fix in zip(variants, same, strict=True) if not fix)
                other = f"{missing.context_why} builds this file with another context"
                reason = f"correct for {variant.context_why}, but {other}"
                merged.append(
                    Refusal(
                        finding.at, finding.message, reason, finding.severity, cause=finding.cause, code=finding.code
                    )
                )
    return _once(merged)


def _same_fix(wanted: Fix, findings: Sequence[Finding]) -> Fix | None:
    for finding in findings:
        if isinstance(finding, Fix) and (finding.edits, finding.other_files) == (wanted.edits, wanted.other_files):
            return finding
    return None


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Each finding once; of several refusals at one place with one message, the first."""
    kept: dict[tuple[str, int, int, str], Finding] = {}
    for finding in findings:
        kept.setdefault((type(finding).__name__, *finding.at, finding.message), finding)
    return list(kept.values())


def project_findings(codemod: Codemod, workspace: Workspace, mode: Mode) -> Iterator[Diagnostic]:
    """The findings of a codemod that checks a whole project, in the files of the run.

    Raises:
        Failed: the codemod raises an exception or yields nonsense, or a finding does not name its file.
    """
    concerned = workspace.only(codemod.could_apply)
    check = codemod.check_project
    if check is None or not may_apply_to_project(codemod, concerned):
        return
    results = call(codemod.name, lambda: all_of(check(concerned)))
    for finding in results:
        path = getattr(finding, "file", None)
        if not isinstance(path, Path):
            raise Failed("finding", "a finding of check_project does not name its file")
        check_finding(finding, workspace.text_if_any(path) or "", workspace.project.root)
        options = workspace.build_options
        if options.of_file(path, workspace.project.root).policy.ignores(codemod.name, workspace.display(path)):
            continue
        own = workspace.by_path.get(path)
        if own is not None:
            target = workspace.target(own)
            if not Suppressions(target.dockerfile).suppresses(codemod, finding.at, finding.code):
                yield _locate_in(target, codemod, finding)
        elif mode.in_scope(path):
            text = workspace.text_if_any(path) or ""
            lines = Lines(text)
            if not suppresses_in_text(text, codemod.name, lines.line(finding.at.start), codemod.aliases):
                yield _locate(codemod, finding, lines, path, text, workspace.project, options)


def _locate_in(target: Target, codemod: Codemod, finding: Finding) -> Diagnostic:
    """A finding in a Dockerfile; see `_locate`."""
    project, options = target.project, target.build_options
    positions = target.dockerfile.positions
    return _locate(codemod, finding, positions, target.real, target.text, project, options, target.secrets)


def _locate(
    codemod: Codemod,
    finding: Finding,
    positions: Lines,
    path: Path,
    text: str,
    project: Project,
    options: BuildOptions,
    secrets: Secrets | None = None,
) -> Diagnostic:
    """A finding with its line, column and severity, without secrets, and without edits of files that ignore the rule.

    `secrets` are by default those of the project.
    """
    finding = _without_secrets(finding, text, project.secrets if secrets is None else secrets)
    finding = _without_ignored_files(codemod, finding, project, options)
    start, end = finding.at
    return Diagnostic(
        codemod.name,
        finding,
        severity_of(codemod, finding, options.of_file(path, project.root).policy),
        positions.line(start),
        positions.column(start),
        positions.line(max(start, end - 1)),
        path,
    )


def severity_of(codemod: Codemod, finding: Finding, policy: Policy) -> Severity:
    """The severity of a finding: that of the configuration for its code, or for its rule unless its own is lower."""
    if finding.code is not None and finding.code in policy.severity:
        return Severity(policy.severity[finding.code])
    override = policy.severity.get(codemod.name)
    if override is None:
        return finding.severity or codemod.severity
    severities = list(Severity)  # the highest first
    return max(Severity(override), finding.severity or Severity.ERROR, key=severities.index)


def _without_ignored_files(codemod: Codemod, finding: Finding, project: Project, options: BuildOptions) -> Finding:
    """A finding; a refusal if it is a fix that changes other files and one of them ignores the rule."""
    if not isinstance(finding, Fix):
        return finding
    for change in finding.other_files:
        shown = display(change.path, project.root)
        if options.of_file(change.path, project.root).policy.ignores(codemod.name, shown):
            reason = f"the fix would also change {shown}, in which the configuration ignores this rule"
            return Refusal(
                finding.at, finding.message, reason, finding.severity, finding.file, finding.cause, finding.code
            )
    return finding


def _without_secrets(finding: Finding, text: str, secrets: Secrets) -> Finding:
    """A finding without the values of secrets that the file itself does not contain."""
    message = secrets.hide(finding.message, text)
    match finding:
        case Fix():
            for edit in finding.edits:
                if variable := secrets.written_by(edit.replacement, text):
                    reason = f"the fix would write the value of {variable} into the file"
                    return Refusal(
                        finding.at, message, reason, finding.severity, finding.file, finding.cause, finding.code
                    )
            help_, review = secrets.hide(finding.help, text), secrets.hide(finding.review, text)
            return replace(finding, message=message, help=help_, review=review)
        case Refusal():
            return replace(finding, message=message, note=secrets.hide(finding.note, text))
        case Advice():
            return replace(finding, message=message, help=secrets.hide(finding.help, text))


def in_order(found: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings of one file in the order of its lines."""
    return tuple(sorted(found, key=lambda each: (each.line, each.column, each.rule)))
