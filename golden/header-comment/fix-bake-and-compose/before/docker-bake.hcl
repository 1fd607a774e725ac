target "api" {
  context = "."
  tags = ["shop/api:1"]
}
