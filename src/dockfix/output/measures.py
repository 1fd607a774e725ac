"""What was measured and what differs, in words and numbers for people; callers make untrusted text safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Final

from dockfix.rule.model import Diagnostic
from dockfix.verify.model import BuildOutcome, Difference, Measurement, State, TargetResult, Verdict, VerifyResult

__all__ = [
    "LOG_LINES", "amount", "builds_text", "change", "count", "difference_text", "log_end", "measured", "rules_text",
    "shown_first", "total",
]  # fmt: skip

LOG_LINES: Final = 20
"""How many lines of the log of a failed build are shown."""

_SIZES: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_NONE: Final = "-"
_ORDER: Final = (State.BROKEN, State.NOT_SHOWN, State.KEPT)


def count(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


def amount(value: float, unit: str) -> str:
    """A value with its unit: `293.0 MB`, `4.1 s`, `12`."""
    if unit == "bytes":
        for size, name in _SIZES:
            if abs(value) >= size:
                return f"{value / size:.1f} {name}"
        return f"{value:.0f} B"
    if unit == "s":
        return f"{value:.1f} s"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def measured(values: Sequence[float], unit: str, *, spread: bool = False) -> str:
    """The median of several runs, with `spread` also the smallest and the largest value; `-` if there is none."""
    if not values:
        return _NONE
    text = amount(median(values), unit)
    if spread and len(set(values)) > 1:
        text += f" ({amount(min(values), unit)} to {amount(max(values), unit)})"
    return text


def change(each: Measurement) -> str:
    """The difference of the medians, with the percentage: `-75.4 MB (-20%)`."""
    if not each.before or not each.after:
        return _NONE
    before, after = median(each.before), median(each.after)
    text = amount(abs(after - before), each.unit)
    if text == amount(0, each.unit) or text == "0":
        return "same"
    sign = "+" if after > before else "-"
    percent = f" ({sign}{abs(after - before) / before:.0%})" if before else ""
    return f"{sign}{text}{percent}"


def difference_text(each: Difference) -> str:
    """`removed /usr/bin/gcc: file 0755`, or `changed /etc/passwd: old -> new`."""
    values = [value for value in (each.before, each.after) if value]
    arrow = f"{each.before or 'none'} -> {each.after or 'none'}"
    shown = arrow if each.kind not in ("added", "removed") and values else "".join(values[:1])
    return f"{each.kind} {each.what}" + (f": {shown}" if shown else "")


def shown_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts: broken, then not shown, then kept."""
    return sorted(verdicts, key=lambda each: _ORDER.index(each.state))


def rules_text(fixes: Sequence[Diagnostic], quote: Callable[[str], str] = str) -> str:
    """`3 fixes: cache-mount (2), apt-purge`."""
    rules = Counter(found.rule for found in fixes)
    listed = ", ".join(quote(rule) + ("" if number == 1 else f" ({number})") for rule, number in rules.items())
    return f"{count(len(fixes), 'fix', 'fixes')}: {listed}"


def builds_text(target: TargetResult) -> list[str]:
    """What came of the builds before and after: one line if both succeeded, else one each."""
    before, after = target.before, target.after
    if before is not None and before.ok and after is not None and after.ok:
        return [f"built in {amount(before.seconds, 's')} before, {amount(after.seconds, 's')} after"]
    return [f"before: {_outcome(before)}", f"after: {_outcome(after)}"]


def _outcome(build: BuildOutcome | None) -> str:
    if build is None:
        return "not built"
    seconds = amount(build.seconds, "s")
    if build.ok:
        return f"built in {seconds}"
    how = f"stopped at its time limit after {seconds}" if build.timed_out else f"failed after {seconds}"
    return how + (f": {build.reason}" if build.reason else "")


def log_end(build: BuildOutcome | None) -> list[str]:
    """The last lines of the log of a build that failed."""
    if build is None or build.ok:
        return []
    return build.log.rstrip().split("\n")[-LOG_LINES:] if build.log.strip() else []


def total(result: VerifyResult) -> str:
    """One line: how many promises are kept, broken and not shown, and with which builder."""
    parts = []
    built = [target for target in result.targets if not target.skipped]
    if built:
        states = Counter(verdict.state for target in built for verdict in target.verdicts)
        promises = count(sum(states.values()), "promise", "promises")
        numbers = ", ".join(f"{states[state]} {state.value}" for state in reversed(_ORDER))
        targets = count(len(built), "build target", "build targets")
        took = amount(result.seconds, "s")
        parts.append(f"{promises} of {targets}: {numbers}; with {result.builder} in {took}")
    elif not result.targets:
        dockerfiles = count(result.clean, "Dockerfile", "Dockerfiles")
        fixes = "no safe fix changes" if result.unsafe else "no fix changes"
        why = f": {fixes} {dockerfiles}" if result.clean else "" if result.problems else ": no Dockerfile found"
        parts.append(f"nothing to verify{why}")
    if result.unsafe:
        parts.append(f"{count(result.unsafe, 'fix needs', 'fixes need')} review and --unsafe")
    if skipped := len(result.targets) - len(built):
        parts.append(f"{count(skipped, 'build target', 'build targets')} not built")
    if result.problems:
        parts.append(count(len(result.problems), "input problem", "input problems"))
    if result.defects:
        parts.append(count(len(result.defects), "defect", "defects"))
    return "; ".join(parts)
