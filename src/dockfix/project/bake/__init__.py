"""Bake files: which targets build which Dockerfile, from which context, and with what.

- `builds`: what bake files say, in the end; the entry.
- `tree`: HCL and JSON as one tree that knows where everything is written.
- `values`: expressions evaluated, as far as they can be known.
"""
