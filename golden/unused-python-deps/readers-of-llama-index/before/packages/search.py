from llama_index.core import Document
from llama_index.vector_stores.qdrant import QdrantVectorStore
