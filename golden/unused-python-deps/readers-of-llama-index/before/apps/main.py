from packages.search import store
