"""The comma-separated fields of a mount (tonistiigi/go-csvvalue)."""

from __future__ import annotations

from dockfix.syntax.words.splitting import Piece


def csv_fields(text: str) -> list[Piece] | None:
    """The comma-separated fields of a mount, each with its span; None where BuildKit reports bad quoting."""
    fields: list[Piece] = []
    at, size = 0, len(text)
    if size == 0:
        return None
    while True:
        if not text.startswith('"', at):
            comma = text.find(",", at)
            end = size if comma == -1 else comma
            if '"' in text[at:end]:
                return None
            fields.append(Piece(text[at:end], at, end))
            if comma == -1:
                return fields
            at = comma + 1
            continue
        start, out = at, []
        at += 1
        while True:
            quote = text.find('"', at)
            if quote == -1:
                return None
            out.append(text[at:quote])
            at = quote + 1
            if text.startswith('"', at):
                out.append('"')
                at += 1
                continue
            break
        fields.append(Piece("".join(out), start, at))
        if at == size:
            return fields
        if text[at] != ",":
            return None
        at += 1


def csv_error(text: str) -> str:
    """Why `csv_fields` returned None, in the words of go-csvvalue; columns are counted in bytes from 1."""
    at, size = 0, len(text)
    while at < size:
        if text[at] != '"':
            comma = text.find(",", at)
            end = size if comma == -1 else comma
            quote = text.find('"', at, end)
            if quote != -1:
                return _csv_complaint(text, quote, 'bare " in non-quoted field')
            at = end + 1
            continue
        at += 1
        while (quote := text.find('"', at)) != -1 and text.startswith('"', quote + 1):
            at = quote + 2
        if quote == -1 or text[quote + 1 : quote + 2] not in ("", ","):
            return _csv_complaint(text, at if quote == -1 else quote, 'extraneous or missing " in quoted-field')
        at = quote + 2
    return "EOF"


def _csv_complaint(text: str, at: int, complaint: str) -> str:
    column = len(text[:at].encode("utf-8", "surrogateescape")) + 1
    return f"parse error on line 1, column {column}: {complaint}"
