module share

go 1.25.0

require (
	github.com/open-feature/go-sdk v1.18.0
	github.com/open-feature/go-sdk-contrib/providers/flagd v0.6.0
)
