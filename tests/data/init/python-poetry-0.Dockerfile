# syntax=docker/dockerfile:1
#
# app: a Python service.
# Build: docker build --tag app .
#
# The tags below move with each patch release. To pin an image, append the digest that
# `docker buildx imagetools inspect IMAGE:TAG` prints: FROM IMAGE:TAG@sha256:...

# build has the virtual environment
FROM python:3.12-slim-bookworm AS build

# Poetry is in this stage only
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install poetry==2.5.1

# The virtual environment goes into the project's folder, from where it is copied
ENV POETRY_NO_INTERACTION=1 \
    POETRY_VIRTUALENVS_IN_PROJECT=1

# The same path as in the final stage: the scripts of a virtual environment hold it
WORKDIR /app

# What Poetry reads, and nothing else: an edit of the code does not install again.
# `poetry lock` writes poetry.lock.
COPY pyproject.toml poetry.lock ./
RUN --mount=type=cache,target=/root/.cache/pypoetry \
    poetry install --only main --no-root

# The code, and with it the project itself
COPY . .
RUN --mount=type=cache,target=/root/.cache/pypoetry \
    poetry install --only main

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
