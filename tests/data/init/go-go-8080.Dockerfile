# syntax=docker/dockerfile:1
#
# app: a Go program.
# Build: docker build --tag app .
#
# The tags below move with each patch release. To pin an image, append the digest that
# `docker buildx imagetools inspect IMAGE:TAG` prints: FROM IMAGE:TAG@sha256:...

# build has the compiler
FROM golang:1.24-bookworm AS build

WORKDIR /src

# What the download reads, and nothing else: an edit of the code does not download again.
# The pattern lets go.sum be missing, as it is in a module without dependencies.
COPY go.mod go.sum* ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download

COPY . .

# Both caches are mounts: modules, and what was compiled before.
# Without cgo the program needs no libc, and runs in an image that has none.
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/app .

# The image: certificates, time zones and the program
FROM gcr.io/distroless/static-debian12:nonroot

COPY --from=build /out/app /app

# By number, so that Kubernetes can see that it is not root
USER 10001:10001

EXPOSE 8080

# The image has no shell and no curl to ask with. Where a check is needed, give the program a command that
# asks its own endpoint: HEALTHCHECK CMD ["/app", "healthcheck"]
HEALTHCHECK NONE

# Exec form: there is no shell, and the program gets the signal to stop
ENTRYPOINT ["/app"]
