"""One endpoint: score passages against a query."""

import os

from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer, util

app = FastAPI(title="Taboot reranker")
model = SentenceTransformer(os.environ["RERANKER_MODEL"])


class Request(BaseModel):
    query: str
    passages: list[str]


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/healthz")
def ready() -> dict[str, int]:
    return {"dimensions": model.get_sentence_embedding_dimension() or 0}


@app.post("/rerank")
def rerank(request: Request) -> list[float]:
    query, *passages = model.encode([request.query, *request.passages])
    return util.cos_sim(query, passages)[0].tolist()
