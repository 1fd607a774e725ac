"""What an edit makes of an instruction."""

from __future__ import annotations

from collections.abc import Iterable

from dockfix.edit.dockerfile.lines import line_start
from dockfix.edit.text import Edit, apply_edits
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Dockerfile, Instruction


def edited(dockerfile: Dockerfile, instruction: Instruction, edits: Iterable[Edit]) -> Instruction | None:
    """An instruction after edits of its own lines, parsed by itself; its offsets are not those of the file.

    None if the lines would then have another number of instructions, or one that BuildKit rejects.
    """
    start, end = line_start(dockerfile, instruction.lines.start), instruction.lines.end
    moved = [Edit(edit.start - start, edit.end - start, edit.replacement) for edit in edits]
    text = apply_edits(dockerfile.text[start:end], moved)
    new = parse(f"# escape={instruction.escape}\nFROM scratch\n{text}")
    return new.instructions[1] if len(new.instructions) == 2 and not new.problems else None
