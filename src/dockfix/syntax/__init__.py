"""Text to a lossless syntax tree. Imports nothing else of dockfix.

The text and the tree:

- `source`: text, spans, lines, and the mapping from logical text to the source.
- `words`: how BuildKit splits, expands and unquotes words (a package).
- `parser`: text to tree; what BuildKit would reject is a problem in the tree.
- `tree`: the Dockerfile and its instructions as frozen values.
- `pragmas`: comments that tools interpret.
- `check`: what BuildKit rejects after its parser has accepted the file.

Languages inside a Dockerfile:

- `shell`: shell text as simple commands with spans (a package).
- `python`: the code of `python -c`, heredocs and files, through libcst.

For other tools:

- `ast`: the tree as plain data, in the format of BuildKit's own tree.
"""
