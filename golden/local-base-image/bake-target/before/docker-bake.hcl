group "default" {
  targets = ["worker"]
}

target "base" {
  context = "base"
  tags    = ["org/base:latest", "org/base:1"]
}

target "worker" {
  context = "worker"
  tags    = ["org/worker:latest"]
}
