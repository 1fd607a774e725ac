"""The audit of a project as a document. Nothing here finds or changes anything.

- `model`: the report as values; its JSON document has the same names.
- `collect`: `report_of`, the entry point: from the results of a run to a report.
- `findings`: a finding with its evidence, its diff and what it takes to fix it.
- `scores`: the score of a Dockerfile.
- `strengths`: what a Dockerfile does well.
- `layers`: the steps of each stage, and what makes the build run them again.
- `graphs`: the stages of a Dockerfile, and the services of a project, with what depends on what.
- `overview`: base images, users, caches and health checks of all files side by side.
- `priorities`: the matrix of impact and effort, and the recommended order.
- `comparison`: what is new, fixed and worse since an earlier report.

How is it written?

- `documents`: a report as JSON, and back.
- `markdown`: a report as Markdown.
- `mermaid`: graphs as Mermaid, for Markdown.
- `html`: a report as one HTML page, with `page.html.jinja`, `page.css` and `page.js`.
- `pictures`: graphs and layers as SVG.
"""
