# syntax=docker/dockerfile:1
#
# app: a Java service.
# Build: docker build --tag app .
#
# The tags below move with each patch release. To pin an image, append the digest that
# `docker buildx imagetools inspect IMAGE:TAG` prints: FROM IMAGE:TAG@sha256:...

# build has the JDK; Gradle comes with the project's wrapper
FROM eclipse-temurin:21-jdk AS build

WORKDIR /src

COPY . .

# Downloads are mounts, so that they are in no layer, and an edit of the code does not download again;
# locked, since a build cannot ask one in another container for its lock. `./gradlew dependencies --write-locks`
# fixes the versions, where dependency locking is on. Tests are run before, not in the build of an image.
RUN --mount=type=cache,target=/root/.gradle/caches,sharing=locked \
    --mount=type=cache,target=/root/.gradle/wrapper,sharing=locked \
    ./gradlew --no-daemon assemble

# The image: the runtime and the program
FROM eclipse-temurin:21-jre

# A user of its own, with ids that no account of a host is likely to have
RUN groupadd --gid 10001 app && \
    useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app

# Owned by root: the program cannot change its own code.
# A pattern must match one file: if there are more, such as app-plain.jar, the build fails; name it then.
WORKDIR /app
COPY --from=build /src/target/*.jar /app/app.jar

# By number, so that Kubernetes can see that it is not root
USER 10001:10001

EXPOSE 8080

# bash asks, since not every version of the image has curl.
# Change the path to an endpoint that says whether the service can work.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status == [23]* ]]"]

# Exec form: java is the first process, and gets the signal to stop
CMD ["java", "-jar", "/app/app.jar"]
