"""Compose files: which services build which Dockerfile, from which context, and with what.

- `builds`: what compose files say, in the end; the entry.
- `model`: what they say, as values.
- `nodes`: the YAML of one file, within bounds, with the lines of its values.
- `interpolation`: variables, and the `.env` files that set them.
- `loader`: files put together with what they include and extend.
- `merge`: how one service overrides another.
"""
