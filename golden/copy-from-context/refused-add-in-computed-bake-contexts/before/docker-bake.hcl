variable "EXTRA" {
  default = {}
}

target "api" {
  contexts = { packages = "packages" }
}

target "test" {
  contexts = EXTRA
}
