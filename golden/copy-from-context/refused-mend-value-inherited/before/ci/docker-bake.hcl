target "_base" {
  contexts = {
    packages = "./packages"
  }
}

target "api" {
  inherits = ["_base"]
  context  = ".."
}
