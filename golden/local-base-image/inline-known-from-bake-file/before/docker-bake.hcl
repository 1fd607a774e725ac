group "default" {
  targets = ["base"]
}

target "base" {
  dockerfile = "base/Dockerfile"
  tags       = ["org/base:latest", "org/base:1"]
  args       = { PYTHON = "3.12" }
  cache-from = ["type=gha"]
}
