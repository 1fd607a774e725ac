"""Documents into the graph."""

from llama_index.core import Document
from neo4j import GraphDatabase

from packages.common.config import Settings


def write_document(settings: Settings, text: str) -> None:
    document = Document(text=text)
    with GraphDatabase.driver(settings.neo4j_uri) as driver:
        driver.execute_query("MERGE (d:Document {id: $id}) SET d.text = $text", id=document.id_, text=document.text)
