"""The worker: takes jobs off the queue and writes what it extracts to the graph."""

import redis

from packages.common.config import Settings
from packages.graph.write import write_document


def main() -> None:
    settings = Settings()
    queue = redis.Redis.from_url(settings.redis_url)
    while True:
        _, document = queue.blpop(["taboot:jobs"])
        write_document(settings, document.decode())


if __name__ == "__main__":
    main()
