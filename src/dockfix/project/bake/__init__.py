"""Bake files: which targets build which Dockerfile, from which context, and with what.

- `builds`: the entry point: reads bake files and gives targets and builds.
- `tree`: HCL and JSON as one tree with positions.
- `values`: the values of expressions, as far as they can be known.
"""
