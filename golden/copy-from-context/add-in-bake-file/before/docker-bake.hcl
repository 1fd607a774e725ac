group "default" {
  targets = ["release"]
}

target "release" {
  context    = "."
  dockerfile = "Dockerfile"
  tags       = ["org/api:latest"]
}
