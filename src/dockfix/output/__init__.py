"""Results as text, diffs and JSON.

- `diff`: diffs for terminals; the diffs themselves are made by `dockfix.engine.difftext`.
- `json`: results as JSON, for programs.
- `markdown`: text from files as Markdown that it cannot change.
- `measures`: what was measured and what differs, in words and numbers.
- `page`: a rule's page for a terminal.
- `places`: paths relative to the current folder.
- `plain`: text from files, safe to show on a terminal.
- `proof`: what `dockfix apply --prove` applied and left out.
- `report_json`: the audit of a project as JSON.
- `report_markdown`: the audit of a project as Markdown.
- `statistics`: how many findings each rule has.
- `targets`: the table of build targets, as text and JSON.
- `text`: findings and summaries as text.
- `tree`: a Dockerfile's tree as text.
- `verify_json`: what real builds have shown, as JSON, and read back.
- `verify_markdown`: what real builds have shown, as Markdown.
- `verify_text`: what real builds have shown, as text.
"""
