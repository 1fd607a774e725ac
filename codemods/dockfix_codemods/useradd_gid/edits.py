"""The edits that create a group before its user, and name it."""

from __future__ import annotations

from dockfix.edit.dockerfile import insert_in_list, insert_word
from dockfix.facts.model import Refused
from dockfix.rule import Edit
from dockfix_codemods.useradd_gid.analysis import CreatedUser, is_conditional


def group_edits(user: CreatedUser, new: str | None, group: str | None) -> tuple[Edit, ...]:
    """Put the command `new` before the one that creates the user, and the option for `group` after the UID.

    Raises:
        Refused: another command in front would change what the shell list means.
    """
    command, dockerfile = user.command.command, user.target.dockerfile
    if is_conditional(command):
        raise Refused("it runs in a branch, a loop or a pipeline, where another command would change the meaning")
    if command.after is not None and command.after.text == "||":
        raise Refused("its failure is handled by `||`")
    edits: list[Edit] = []
    if new is not None:
        edits.append(insert_in_list(dockerfile, user.run, user.commands.text, command, new))
    if group is not None:
        uid = user.command.option("--uid")
        joined = "=" if uid is not None and uid.attached and uid.spelled.startswith("--") else " "
        program = command.words[0]
        start, end = (uid.start, uid.word.end) if uid is not None else (program.start, program.end)
        option = f"{group_flag(user)}{joined}{group}"
        edits.append(insert_word(dockerfile, user.run, user.commands.text, start, end, option))
    return tuple(edits)


def group_flag(user: CreatedUser) -> str:
    """The option for the group, long if the one for the UID is."""
    uid = user.command.option("--uid")
    if uid is not None and uid.spelled.startswith("--"):
        return user.group_option
    return "-G" if user.busybox else "-g"
