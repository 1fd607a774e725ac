from llama_index.readers.web import SimpleWebPageReader
