"""The files around a Dockerfile: contexts, compose and bake files, ignore files, manifests."""
