import importlib


def load(name):
    importlib.import_module(f"app.plugins.{name}")
    importlib.import_module(f"{__name__}.{name}")
    importlib.import_module(__package__ + "." + name)
    return importlib.import_module("." + name, "app")
