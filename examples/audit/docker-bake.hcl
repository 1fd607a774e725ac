# The images that CI builds and pushes; the rest is built by docker compose on the host.
variable "TAG" {
  default = "latest"
}

group "default" {
  targets = ["api", "migrate", "tools", "status", "analytics"]
}

target "_common" {
  context = "."
  platforms = ["linux/amd64"]
}

target "api" {
  inherits   = ["_common"]
  dockerfile = "docker/api/Dockerfile"
  tags       = ["taboot/api:${TAG}"]
}

target "migrate" {
  inherits   = ["_common"]
  dockerfile = "docker/migrate/Dockerfile"
  tags       = ["taboot/migrate:${TAG}"]
  args = {
    SCHEMA = "taboot" # the schema of docker/postgres
  }
}

target "tools" {
  inherits   = ["_common"]
  dockerfile = "docker/tools/Dockerfile"
  tags       = ["taboot/tools:${TAG}"]
}

target "status" {
  context = "docker/status"
  tags    = ["taboot/status:${TAG}"]
}

target "analytics" {
  context = "docker/analytics"
  tags    = ["taboot/analytics:${TAG}"]
}
