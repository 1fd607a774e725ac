"""Compose files: which services build which Dockerfile, from which context, and with what.

- `builds`: the entry point: reads compose files and gives services and builds.
- `model`: services, builds and the like, as values.
- `waits`: which service waits for which, and the longest chain.
- `nodes`: the values of one file, with their lines.
- `services`: what a merged service says.
- `interpolation`: variables, and the `.env` files that set them.
- `loader`: files merged with what they include and extend.
- `merge`: how one service overrides another.
"""
