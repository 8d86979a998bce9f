package main

import (
	"context"
	"fmt"
	"time"

	flagd "github.com/open-feature/go-sdk-contrib/providers/flagd/pkg"
	"github.com/open-feature/go-sdk/openfeature"
)

func main() {
	provider, err := flagd.NewProvider()
	if err == nil {
		err = openfeature.SetProviderAndWait(provider)
	}
	if err != nil {
		panic(err)
	}
	flags := openfeature.NewClient("share")
	for before := -1; ; time.Sleep(100 * time.Millisecond) {
		on := 0
		for i := range 100 {
			instance := openfeature.NewTargetlessEvaluationContext(map[string]any{"instance": fmt.Sprintf("i-%d", i)})
			if flags.Boolean(context.Background(), "new-scheduler", false, instance) {
				on++
			}
		}
		if on != before {
			fmt.Printf("new-scheduler is on for %d of 100 instances\n", on)
		}
		before = on
	}
}
