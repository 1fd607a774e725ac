module x

require y v0.0.0

replace (
	y => ./libs/y // ours
	github.com/a/b => github.com/c/b v1.2.3
)
