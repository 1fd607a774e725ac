"""Text to a lossless tree. Knows nothing of the rest of dockfix.

The text and the tree:

- `source`: text, spans, lines, and the way from logical text back to the source.
- `words`: how BuildKit splits, expands and unquotes words (a package).
- `parser`: text to tree; what BuildKit would refuse is a problem of the tree.
- `tree`: the Dockerfile and its instructions as frozen values.
- `pragmas`: comments that tools read.
- `check`: what BuildKit refuses after its parser has accepted the file.

Languages inside a Dockerfile:

- `shell`: shell text as simple commands with spans (a package).
- `python`: the code of `python -c`, heredocs and files, through libcst.

For other tools:

- `ast`: the tree as plain data, in the shape of BuildKit's own answer.
- `interop`: to and from `DockerfileParser` of dockerfile-parse.
"""
