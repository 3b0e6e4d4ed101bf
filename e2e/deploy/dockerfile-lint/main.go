// Command dockerfile-lint reads a Dockerfile from standard input with BuildKit's own parser, and prints, a line each,
// what BuildKit's linter objects to. It exits with 1 when the file cannot be read at all.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func main() {
	file, err := parser.Parse(os.Stdin)
	if err == nil {
		file.PrintWarnings(os.Stdout)
		_, _, err = instructions.Parse(file.AST, linter.New(&linter.Config{Warn: warn}))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func warn(rule, _, _, message string, location []parser.Range) {
	line := 0
	if len(location) > 0 {
		line = location[0].Start.Line
	}
	fmt.Printf("line %d: %s: %s\n", line, rule, message)
}
