"""Edits that keep a file's own style, and leave every other byte alone.

- `text`: an edit as a value, and a text with edits applied.
- `dockerfile`: how an edit is fitted into a Dockerfile: lines, flags, words, lists of commands, moves.
- `yaml`: compose files and other YAML.
- `hcl`: bake files.
- `wiring`: named contexts in compose and bake files: what supplies one, and the edits that add another.
- `context_wiring`: the same as changes of a fix.
- `hcl_check`: what differs between two texts of a bake file.
- `yaml_check`: what differs between two versions of a YAML file: values by their paths, and comments.
"""
