# The image of dockfix, which finds and fixes problems in the Dockerfiles of the folder that is mounted at /src.
#
#   docker run --rm -v "$PWD:/src" dockfix check
#   docker run --rm -v "$PWD:/src" --user "$(id -u):$(id -g)" dockfix apply
#

FROM python:3.13-slim AS build
WORKDIR /build
# Without pip, which the image does not need: the pip of the base image installs into it.
RUN python -m venv --without-pip /opt/dockfix
# VERSION is that of dockfix, since the build context has no git history: docker build --build-arg VERSION=1.2.3 .
ARG VERSION
# rw: the build writes the version into the source; nothing of it is kept.
RUN --mount=type=bind,target=/build,rw \
    --mount=type=cache,target=/root/.cache/pip \
    SETUPTOOLS_SCM_PRETEND_VERSION_FOR_DOCKFIX="$VERSION" pip --python /opt/dockfix/bin/python install .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="dockfix" \
      org.opencontainers.image.description="Finds and fixes problems in Dockerfiles" \
      org.opencontainers.image.source="https://github.com/dockfix/dockfix" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/dockfix /opt/dockfix
ENV PATH="/opt/dockfix/bin:$PATH"
WORKDIR /src
# A number, since the image needs no account; --user takes any other one.
USER 65532:65532
# It runs and ends: there is nothing to ask.
HEALTHCHECK NONE
ENTRYPOINT ["dockfix"]
CMD ["--help"]
