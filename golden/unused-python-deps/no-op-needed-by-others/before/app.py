from llama_index.graph_stores.neo4j import Neo4jGraphStore
import langchain
