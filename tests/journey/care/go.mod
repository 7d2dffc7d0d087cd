module journey/care

go 1.24

require (
	github.com/throughline/throughline/gen/go v0.0.0
	google.golang.org/grpc v1.72.0
)

replace github.com/throughline/throughline/gen/go => ./gen
