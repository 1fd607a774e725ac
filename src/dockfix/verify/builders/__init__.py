"""The builders, each behind the interface `dockfix.verify.model.Builder`."""
