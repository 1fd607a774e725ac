target "pinned" {
  contexts = {
    "alpine:3.20" = "docker-image://alpine:3.20.3"
    tools         = "docker-image://org/tools:1"
    composer      = "./composer"
  }
}

target "plain" {
  context = "."
}
