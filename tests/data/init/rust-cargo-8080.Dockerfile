# syntax=docker/dockerfile:1
#
# app: a Rust program.
# Build: docker build --tag app .
#
# The tags below move with each patch release. To pin an image, append the digest that
# `docker buildx imagetools inspect IMAGE:TAG` prints: FROM IMAGE:TAG@sha256:...

# build has the compiler
FROM rust:1.95-bookworm AS build

WORKDIR /src

COPY . .

# --locked fails if Cargo.lock is missing or out of date; `cargo generate-lockfile` writes it.
# Downloads are mounts, so that they are in no layer; not CARGO_HOME itself, which also holds cargo,
# and not target/, which holds the result.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/usr/local/cargo/git/db \
    cargo build --locked --release --bin app && \
    install -D target/release/app /out/app

# The image: glibc, libgcc, OpenSSL, certificates and the program.
# Debian 12 as above: a program needs the glibc that it was built with, or a newer one
FROM gcr.io/distroless/cc-debian12:nonroot

COPY --from=build /out/app /app

# By number, so that Kubernetes can see that it is not root
USER 10001:10001

EXPOSE 8080

# The image has no shell and no curl to ask with. Where a check is needed, give the program a command that
# asks its own endpoint: HEALTHCHECK CMD ["/app", "healthcheck"]
HEALTHCHECK NONE

# Exec form: there is no shell, and the program gets the signal to stop
ENTRYPOINT ["/app"]
