"""Results as text, diffs and JSON.

- `diff`: diffs for terminals; the diffs themselves are made by `dockfix.engine.difftext`.
- `json`: results as JSON, for programs.
- `page`: a rule's page for a terminal. The page is the docstring of the rule's module, in simple Markdown.
- `places`: paths as people who work in a folder below the project read them.
- `plain`: text from files made fit for people's terminals.
- `targets`: the table of build targets, for people and for programs.
- `text`: findings for people.
- `tree`: a Dockerfile's tree to be read by people.
"""
