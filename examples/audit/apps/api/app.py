"""The HTTP front: health and queries."""

from fastapi import FastAPI

from packages.common.config import Settings
from packages.vector.search import search

app = FastAPI(title="Taboot")
settings = Settings()


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/query")
def query(text: str) -> list[str]:
    return search(settings, text)
