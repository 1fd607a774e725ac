"""Style-preserving edits of a Dockerfile.

- `lines`: lines, indentation and continuations, and edits at an offset.
- `words`: flags, arguments and words of one instruction.
- `commands`: commands in the shell text of a RUN.
- `runs`: merging RUN instructions, and adding commands to the end of one.
- `blocks`: adding and deleting whole instructions with their comments.
- `moves`: moving instructions with their comments.
- `trial`: what an edit makes of an instruction.

Every function returns edits and changes nothing. The edits keep the file's line ends, escape character, indentation and
continuation style, and never drop a comment. A function that cannot produce such an edit raises `Refused`.
"""

from dockfix.edit.dockerfile.blocks import (
    block,
    delete_block,
    delete_superseded,
    insert_above,
    insert_below,
    insert_instruction,
    is_banner,
    own_comments,
)
from dockfix.edit.dockerfile.commands import (
    append_to_body,
    delete_command,
    delete_commands,
    delete_words,
    insert_command_after,
    insert_command_before,
    insert_first,
    insert_in_list,
    insert_word,
)
from dockfix.edit.dockerfile.lines import (
    MAX_LINE,
    continuation,
    continuation_indent,
    indent_of,
    insert,
    insert_text_after,
    insert_text_before,
    line_end,
    line_start,
    replace,
)
from dockfix.edit.dockerfile.moves import move_above, move_all_below, move_below, replace_and_move_below
from dockfix.edit.dockerfile.runs import append_commands, merge_runs
from dockfix.edit.dockerfile.trial import edited
from dockfix.edit.dockerfile.words import (
    delete,
    delete_arguments,
    delete_flag,
    insert_flag,
    insert_flags,
    insert_pairs,
    one_line_like,
    refuse_pragma,
    replace_keyword,
    split_before,
    words_line,
)

__all__ = [
    "MAX_LINE",
    "append_commands",
    "append_to_body",
    "block",
    "continuation",
    "continuation_indent",
    "delete",
    "delete_arguments",
    "delete_block",
    "delete_command",
    "delete_commands",
    "delete_flag",
    "delete_superseded",
    "delete_words",
    "edited",
    "indent_of",
    "insert",
    "insert_above",
    "insert_below",
    "insert_command_after",
    "insert_command_before",
    "insert_first",
    "insert_flag",
    "insert_flags",
    "insert_in_list",
    "insert_instruction",
    "insert_pairs",
    "insert_text_after",
    "insert_text_before",
    "insert_word",
    "is_banner",
    "line_end",
    "line_start",
    "merge_runs",
    "move_above",
    "move_all_below",
    "move_below",
    "one_line_like",
    "own_comments",
    "refuse_pragma",
    "replace",
    "replace_and_move_below",
    "replace_keyword",
    "split_before",
    "words_line",
]
