"""Nearest documents of a text."""

from llama_index.core import VectorStoreIndex
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import QdrantClient

from packages.common.config import Settings


def search(settings: Settings, text: str) -> list[str]:
    store = QdrantVectorStore("documents", client=QdrantClient(settings.qdrant_url))
    nodes = VectorStoreIndex.from_vector_store(store).as_retriever().retrieve(text)
    return [node.get_content() for node in nodes]
