target "default" {
  args = {
    RELEASE = "1"
  }
}
