"""The files around a Dockerfile: contexts, compose files, ignore files, manifests."""
