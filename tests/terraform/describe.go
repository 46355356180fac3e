// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// The files that are not as terraform fmt would have them.
func unformatted(paths []string) ([]string, error) {
	found := []string{}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(source, hclwrite.Format(source)) {
			found = append(found, path)
		}
	}
	return found, nil
}

// One block: its labels, and its arguments as they are written. Of blocks in it
// the arguments are there as TYPE.NAME.
type described struct {
	Kind      string            `json:"kind"`
	Labels    []string          `json:"labels"`
	Arguments map[string]string `json:"arguments"`
	// How often each block stands in it, by type.
	Blocks map[string]int `json:"blocks"`
}

type description struct {
	// In the order of the files.
	Blocks []described `json:"blocks"`
	// The first two parts of what expressions refer to, such as var.name.
	References []string `json:"references"`
}

func (m *module) text(at hcl.Range) string {
	return string(at.SliceBytes(m.sources[at.Filename]))
}

func (m *module) arguments(into map[string]string, prefix string, body *hclsyntax.Body) {
	for name, attribute := range body.Attributes {
		into[prefix+name] = m.text(attribute.Expr.Range())
	}
	for _, inner := range body.Blocks {
		m.arguments(into, prefix+inner.Type+".", inner.Body)
	}
}

func (m *module) describe() description {
	all := description{References: []string{}}
	for _, body := range m.bodies {
		for _, block := range body.Blocks {
			one := described{block.Type, block.Labels, map[string]string{}, map[string]int{}}
			for _, inner := range block.Body.Blocks {
				one.Blocks[inner.Type]++
			}
			m.arguments(one.Arguments, "", block.Body)
			all.Blocks = append(all.Blocks, one)
		}
		hclsyntax.VisitAll(body, func(node hclsyntax.Node) hcl.Diagnostics {
			if found, ok := node.(*hclsyntax.ScopeTraversalExpr); ok {
				name := strings.Join(names(found.Traversal, 2), ".")
				all.References = append(all.References, name)
			}
			return nil
		})
	}
	slices.Sort(all.References)
	all.References = slices.Compact(all.References)
	return all
}

// The names that a traversal begins with, at most so many.
func names(traversal hcl.Traversal, most int) []string {
	found := []string{traversal.RootName()}
	for _, step := range traversal[1:] {
		attribute, ok := step.(hcl.TraverseAttr)
		if !ok || len(found) == most {
			break
		}
		found = append(found, attribute.Name)
	}
	return found
}
