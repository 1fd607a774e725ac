"""dockfix repairs Dockerfiles with small, gated, lossless codemods."""

__version__ = "0.1.0"
