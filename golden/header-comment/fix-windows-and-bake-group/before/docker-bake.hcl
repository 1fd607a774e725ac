target "api" {
  context = "."
  tags = ["org/api:1"]
}
group "default" { targets = ["api"] }
