target "a" {
  args = { RELEASE = "2" }
}

target "b" {
  args = { RELEASE = "3" }
}
