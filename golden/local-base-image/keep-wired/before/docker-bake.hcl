target "base" {
  context = "base"
  tags    = ["org/base:latest"]
}

target "worker" {
  context = "worker"
  contexts = {
    "org/base" = "target:base"
  }
}
