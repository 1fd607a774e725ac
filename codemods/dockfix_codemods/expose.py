"""An EXPOSE is invalid, names a host port, or writes a protocol in capitals.

## What it does

Finds three mistakes in `EXPOSE`: a port or protocol that BuildKit rejects, an IP address or host port, and a protocol
that is not in lower case. It fixes the last two.

## Why is this bad?

`EXPOSE` documents the ports of the container. BuildKit drops an IP address and a host port, so `8080:80` publishes
nothing on 8080, and it announces that it will reject them. With a port above 65535 the build fails.

## Example

```dockerfile
FROM debian:12
EXPOSE 8080:80 53/UDP
```

Use instead:

```dockerfile
FROM debian:12
EXPOSE 80 53/udp
```

## Fix safety

The fix is safe: the image exposes the same ports. BuildKit takes only the last part of `ip:host:port`, and turns the
protocol into lower case itself. Buildah writes both into the image as they are, where nothing understands them.

## When it does not apply

- An IP address or host port with a variable whose value is not known: it may be more than one word.
- A port with quotes or escape characters.
- `ONBUILD`, whose instruction runs in other builds.

## References

- https://docs.docker.com/reference/dockerfile/#expose
- https://docs.docker.com/reference/build-checks/expose-proto-casing/
- https://docs.docker.com/reference/build-checks/expose-invalid-format/
- https://github.com/hadolint/hadolint/wiki/DL3011
- moby/buildkit, `frontend/dockerfile/dockerfile2llb/convert_expose.go`
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from dockfix.facts.model import Known
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Part,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Expose, Word
from dockfix.syntax.words import SubstitutionError, template

_PROTOCOLS: Final = ("tcp", "udp", "sctp")
_HIGHEST: Final = 65535
_NUMBER: Final = re.compile(r"\+?[0-9]{1,18}")
_CAPITALS: Final = re.compile(r"/([A-Za-z]+)\Z")


def check(target: Target) -> Iterator[Finding]:
    """Check each word of each EXPOSE."""
    for stage in target.facts.graph.stages:
        for expose in stage.executed:
            if isinstance(expose, Expose):
                for word in expose.args:
                    yield from _findings(target, expose, word)


def _findings(target: Target, expose: Expose, word: Word) -> Iterator[Finding]:
    try:
        parts = template(word.text, expose.escape)
    except SubstitutionError:
        return
    if len(parts) == 1 and parts[0].split() == [parts[0]] and (reason := _error(parts[0])):
        yield Advice(word.span, f"BuildKit rejects `EXPOSE {word.text}`: {reason}", Severity.ERROR)
    elif "".join(parts) == word.text and expose.logical.contiguous(word.start, word.end):
        yield from _style(target, expose, word, parts)


def _style(target: Target, expose: Expose, word: Word, parts: tuple[str, ...]) -> Iterator[Finding]:
    """The findings in a word without quotes and escapes, whose parts are literal texts and expansions in turn."""
    edits: list[Edit] = []
    texts: list[str] = []
    dropped = _host_end(parts)
    at = word.span.start
    if dropped:
        texts.append("`EXPOSE` takes no IP address or host port")
        host = target.facts.state(expose).expand(word.text[: dropped - 1], expose.escape)
        if not isinstance(host, Known) or len(host.value.split()) > 1:
            note = f"`{word.text[: dropped - 1]}` may be more than one word"
            yield Refusal(word.span, f"{texts[0]}: only the last part counts", note)
            return
        edits.append(Edit(at, at + dropped, ""))
    protocol = _CAPITALS.search(parts[-1]) if len(parts) % 2 else None
    if protocol and protocol[1].lower() in _PROTOCOLS and not protocol[1].islower():
        texts.append("the protocol is not in lower case")
        edits.append(Edit(word.span.end - len(protocol[1]), word.span.end, protocol[1].lower()))
    if edits:
        new = word.text[dropped:]
        new = new[: len(new) - len(protocol[1])] + protocol[1].lower() if protocol else new
        yield Fix(word.span, " and ".join(texts), tuple(edits), Safety.SAFE, f"write `{new}`")


def _host_end(parts: tuple[str, ...]) -> int:
    """Where the port begins: after the last colon outside expansions; 0 if there is none."""
    at = found = 0
    for index, part in enumerate(parts):
        if index % 2 == 0 and ":" in part:
            found = at + part.rindex(":") + 1
        at += len(part)
    return found


def _error(spec: str) -> str:
    """Why BuildKit rejects a port, as `portSpecs.parsePort` does; empty if it does not."""
    fields = spec.split(":")
    container, host = fields[-1], fields[-2] if len(fields) > 1 else ""
    address = ":".join(fields[:-2])
    port, _, protocol = container.partition("/")
    if protocol and protocol.lower() not in _PROTOCOLS:
        return f"the protocol is one of {', '.join(_PROTOCOLS)}"
    if reason := _range_error(port):
        return reason
    if address and not _is_address(address.removeprefix("[").removesuffix("]")):
        return f"`{address}` is not an IP address"
    if host and (reason := _range_error(host)):
        return f"host port: {reason}"
    return ""


def _range_error(ports: str) -> str:
    numbers = ports.split("-", 1)
    if any(not _NUMBER.fullmatch(number) for number in numbers):
        return f"`{ports}` is not a port" if ports else "there is no port"
    values = [int(number) for number in numbers]
    if max(values) > _HIGHEST:
        return f"ports end at {_HIGHEST}"
    return "the range ends before it begins" if values[-1] < values[0] else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


CODEMOD: Final = Codemod(
    name="expose",
    title="an EXPOSE is invalid, names a host port, or writes a protocol in capitals",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("expose",),
    hadolint=frozenset({"DL3011"}),
    checks=frozenset({"ExposeProtoCasing", "ExposeInvalidFormat"}),
    promise=Promise(
        config=frozenset({Part.PORTS}),
        rationale=(
            "BuildKit reads the same ports and protocols from the old and the new text. Buildah copies the old text "
            "into the image, so there the spelling of a port changes."
        ),
    ),
)
