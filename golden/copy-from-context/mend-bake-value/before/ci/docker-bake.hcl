target "api" {
  context = ".."
  contexts = {
    packages = "packages" # shared
  }
}
