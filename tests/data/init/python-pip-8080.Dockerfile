# syntax=docker/dockerfile:1
#
# app: a Python service.
# Build: docker build --tag app .
#
# The tags below move with each patch release. To pin an image, append the digest that
# `docker buildx imagetools inspect IMAGE:TAG` prints: FROM IMAGE:TAG@sha256:...

# build has the virtual environment
FROM python:3.12-slim-bookworm AS build

# The same path as in the final stage: the scripts of a virtual environment hold it
WORKDIR /app
RUN python -m venv .venv

# What pip reads, and nothing else: an edit of the code does not install again.
# Pin every version: `pip freeze` or `pip-compile` writes such a file.
COPY requirements.txt ./

# The cache is a mount, so that it is in no layer
RUN --mount=type=cache,target=/root/.cache/pip \
    .venv/bin/pip install -r requirements.txt

COPY . .

# The image: no installer and no cache
FROM python:3.12-slim-bookworm

# Programs of the virtual environment go first; output is not held back in a buffer
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1

# A user of its own, with ids that no account of a host is likely to have
RUN groupadd --gid 10001 app && \
    useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app

# Owned by root: the program cannot change its own code
WORKDIR /app
COPY --from=build /app /app

# By number, so that Kubernetes can see that it is not root
USER 10001:10001

EXPOSE 8080

# Python asks, since the image has neither curl nor wget.
# Change the path to an endpoint that says whether the service can work.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/', timeout=4)"]

# Exec form: the program is the first process, and gets the signal to stop
CMD ["python", "-m", "app"]
