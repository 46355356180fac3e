// SPDX-License-Identifier: Apache-2.0

// Terraform's language as far as tests of contrib/terraform need it, on top of
// the library that reads it in Terraform and OpenTofu: a module is evaluated
// without providers, whose part comes from standard input.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

const usage = `usage: terraform format FILE...        which are not formatted, as JSON
       terraform describe DIRECTORY   what a module declares, as JSON
       terraform evaluate DIRECTORY   what it makes of the input, as JSON

Input of evaluate, on standard input, as JSON:
  variables  of the module, by name
  data       what data sources say, by TYPE.NAME
  computed   what providers add to resources, by TYPE
`

func run(verb string, arguments []string) (any, error) {
	if verb == "format" {
		return unformatted(arguments)
	}
	if len(arguments) != 1 {
		return nil, fmt.Errorf("%s wants one directory", verb)
	}
	loaded, diagnostics := load(arguments[0])
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	switch verb {
	case "describe":
		return loaded.describe(), nil
	case "evaluate":
		return evaluate(loaded, os.Stdin)
	}
	return nil, fmt.Errorf("unknown verb %q", verb)
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	result, err := run(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
