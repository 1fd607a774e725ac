# syntax=docker/dockerfile:1
#
# app: a Node.js service.
# Build: docker build --tag app .
#
# The tags below move with each patch release. To pin an image, append the digest that
# `docker buildx imagetools inspect IMAGE:TAG` prints: FROM IMAGE:TAG@sha256:...

# build has all dependencies, and what is built with them
FROM node:20-bookworm-slim AS build

WORKDIR /app

# What the install reads, and nothing else: an edit of the code does not install again.
# NODE_ENV is not set here, since it would leave out the devDependencies.
COPY package.json yarn.lock ./

# The cache is a mount, so that it is in no layer
RUN --mount=type=cache,target=/usr/local/share/.cache/yarn/v6 \
    yarn install --frozen-lockfile

COPY . .

# What only the build needs goes
RUN --mount=type=cache,target=/usr/local/share/.cache/yarn/v6 \
    yarn run build && \
    yarn install --frozen-lockfile --production --ignore-scripts

# The image: no package manager's cache and no devDependencies
FROM node:20-bookworm-slim

# Read by many libraries at run time
ENV NODE_ENV=production

# A user of its own, with ids that no account of a host is likely to have
RUN groupadd --gid 10001 app && \
    useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app

# Owned by root: the program cannot change its own code
WORKDIR /app
COPY --from=build /app /app

# By number, so that Kubernetes can see that it is not root
USER 10001:10001

ENV PORT=8080
EXPOSE 8080

# node asks, since the image has neither curl nor wget.
# Change the path to an endpoint that says whether the service can work.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:8080/').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# Exec form, and node itself: npm does not pass on the signal to stop
CMD ["node", "server.js"]
