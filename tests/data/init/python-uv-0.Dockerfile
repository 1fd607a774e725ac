# syntax=docker/dockerfile:1
#
# app: a Python service.
# Build: docker build --tag app .
#
# The tags below move with each patch release. To pin an image, append the digest that
# `docker buildx imagetools inspect IMAGE:TAG` prints: FROM IMAGE:TAG@sha256:...

# uv is the installer, at a fixed version
FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

# build has the virtual environment
FROM python:3.12-slim-bookworm AS build

# Bytecode is compiled once, here; the cache is a mount, from which files cannot be linked;
# the Python is that of the image, never a download
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never

# The same path as in the final stage: the scripts of a virtual environment hold it
WORKDIR /app

# What uv reads, and nothing else: an edit of the code does not install again.
# `uv lock` writes uv.lock; --locked fails if it is missing or out of date.
COPY pyproject.toml uv.lock ./

# uv is only mounted, so that it is in no layer
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=from=uv,source=/uv,target=/usr/local/bin/uv \
    uv sync --locked --no-dev --no-install-project

# The code, and with it the project itself
COPY . .
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=from=uv,source=/uv,target=/usr/local/bin/uv \
    uv sync --locked --no-dev

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

# Nothing listens that a health check could ask
HEALTHCHECK NONE

# Exec form: the program is the first process, and gets the signal to stop
CMD ["python", "-m", "app"]
