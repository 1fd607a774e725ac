target "base" {
  dockerfile = "base/Dockerfile"
  tags       = ["org/base"]
}
