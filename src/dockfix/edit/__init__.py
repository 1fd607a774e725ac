"""Edits that keep a file's own style and leave every other byte alone.

- `text`: an edit as a value, and a text with edits applied.
- `dockerfile`: how an edit is fitted into a Dockerfile: lines, flags, words, lists of commands, moves.
- `yaml`: edits of compose files and other YAML.
- `yaml_editor`: how an edit is fitted into a YAML text: entries, list items, scalars.
- `yaml_spelling`: how a string is written as a YAML scalar.
- `yaml_check`: what differs between two versions of a YAML file: values by their paths, and comments.
- `yaml_part`: the part of a YAML text that an edit can be checked in.
- `hcl`: edits of bake files.
- `hcl_check`: what differs between two versions of a bake file.
- `contexts`: edits that give builds named contexts, in compose and bake files.
"""
