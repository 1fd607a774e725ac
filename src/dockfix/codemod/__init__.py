"""Codemods: their anatomy, the surgery they use, the engine that runs and gates them."""
