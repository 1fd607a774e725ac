"""Bake files: which targets build which Dockerfile, from which context, and with what.

- `builds`: the entry point: reads bake files and gives targets and builds.
- `tree`: the tree of a file, one form for HCL and JSON, with positions.
- `reader`: reads HCL and JSON into trees.
- `targets`: what the blocks of a target say, merged and inherited.
- `values`: the values of expressions, as far as they can be known.
"""
