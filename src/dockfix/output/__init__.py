"""Results as text, diffs and JSON.

- `diff`: diffs for terminals; the diffs themselves are made by `dockfix.engine.difftext`.
- `json`: results as JSON, for programs.
- `page`: a rule's page for a terminal.
- `places`: paths relative to the current folder.
- `plain`: text from files, safe to show on a terminal.
- `targets`: the table of build targets, as text and JSON.
- `text`: findings and summaries as text.
- `tree`: a Dockerfile's tree as text.
"""
