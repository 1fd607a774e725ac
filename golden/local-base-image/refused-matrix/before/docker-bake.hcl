target "base" {
  name    = "base-${v}"
  matrix  = { v = ["1", "2"] }
  context = "base"
  tags    = v == "2" ? ["org/base:2", "org/base:latest"] : ["org/base:1"]
}

target "worker" {
  context = "worker"
}
