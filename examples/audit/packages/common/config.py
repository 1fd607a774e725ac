"""Settings, read from the environment."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str = "postgresql://taboot@taboot-db:5432/taboot"
    neo4j_uri: str = "bolt://taboot-graph:7687"
    qdrant_url: str = "http://taboot-vectors:6333"
    redis_url: str = "redis://taboot-cache:6379"
