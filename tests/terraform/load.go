// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A declared variable. Its type is what a value is converted to.
type variable struct {
	block       *hclsyntax.Block
	kind        cty.Type
	defaults    *typeexpr.Defaults
	validations []*hclsyntax.Block
}

// The files of one directory. Blocks that have a value are found by their
// address, as expressions write it.
type module struct {
	directory string
	sources   map[string][]byte
	bodies    []*hclsyntax.Body
	variables map[string]*variable
	locals    map[string]hcl.Expression
	outputs   map[string]*hclsyntax.Block
	blocks    map[string]*hclsyntax.Block
	settings  []*hclsyntax.Block
}

func problem(at hcl.Range, format string, arguments ...any) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  fmt.Sprintf(format, arguments...),
		Subject:  &at,
	}}
}

func load(directory string) (*module, hcl.Diagnostics) {
	loaded := &module{
		directory: directory,
		sources:   map[string][]byte{},
		variables: map[string]*variable{},
		locals:    map[string]hcl.Expression{},
		outputs:   map[string]*hclsyntax.Block{},
		blocks:    map[string]*hclsyntax.Block{},
	}
	paths, _ := filepath.Glob(filepath.Join(directory, "*.tf"))
	if len(paths) == 0 {
		return nil, problem(hcl.Range{Filename: directory}, "no .tf file here")
	}
	var all hcl.Diagnostics
	for _, path := range paths {
		all = append(all, loaded.add(path)...)
	}
	return loaded, all
}

func (m *module) add(path string) hcl.Diagnostics {
	source, err := os.ReadFile(path)
	if err != nil {
		return problem(hcl.Range{Filename: path}, "%v", err)
	}
	m.sources[path] = source
	file, all := hclsyntax.ParseConfig(source, path, hcl.InitialPos)
	if all.HasErrors() {
		return all
	}
	body := file.Body.(*hclsyntax.Body)
	m.bodies = append(m.bodies, body)
	for _, attribute := range body.Attributes {
		all = append(all, problem(attribute.SrcRange, "an argument outside of all blocks")...)
	}
	for _, block := range body.Blocks {
		all = append(all, m.declare(block)...)
	}
	return all
}

func (m *module) declare(block *hclsyntax.Block) hcl.Diagnostics {
	wanted := map[string]int{"terraform": 0, "locals": 0, "variable": 1,
		"output": 1, "module": 1, "data": 2, "resource": 2}
	labels, known := wanted[block.Type]
	if !known || labels != len(block.Labels) {
		return problem(block.TypeRange, "%s with %d labels is not known here",
			block.Type, len(block.Labels))
	}
	switch block.Type {
	case "terraform":
		m.settings = append(m.settings, block)
		return nil
	case "locals":
		return m.declareLocals(block)
	case "variable":
		return m.declareVariable(block)
	case "output":
		return declareOnce(m.outputs, block.Labels[0], block)
	case "resource":
		return declareOnce(m.blocks, strings.Join(block.Labels, "."), block)
	}
	address := block.Type + "." + strings.Join(block.Labels, ".")
	return declareOnce(m.blocks, address, block)
}

func declareOnce(all map[string]*hclsyntax.Block, name string, block *hclsyntax.Block) hcl.Diagnostics {
	if first := all[name]; first != nil {
		return problem(block.TypeRange, "%s is there already, in %s", name, first.TypeRange)
	}
	all[name] = block
	return nil
}

func (m *module) declareLocals(block *hclsyntax.Block) hcl.Diagnostics {
	for name, attribute := range block.Body.Attributes {
		if m.locals[name] != nil {
			return problem(attribute.SrcRange, "local.%s is there already", name)
		}
		m.locals[name] = attribute.Expr
	}
	return nil
}

func (m *module) declareVariable(block *hclsyntax.Block) hcl.Diagnostics {
	name := block.Labels[0]
	if m.variables[name] != nil {
		return problem(block.TypeRange, "variable %s is there already", name)
	}
	declared := &variable{block: block, kind: cty.DynamicPseudoType}
	m.variables[name] = declared
	for _, inner := range block.Body.Blocks {
		if inner.Type != "validation" {
			return problem(inner.TypeRange, "a variable has no %s", inner.Type)
		}
		declared.validations = append(declared.validations, inner)
	}
	var all hcl.Diagnostics
	for name, attribute := range block.Body.Attributes {
		switch name {
		case "type":
			kind, defaults, found := typeexpr.TypeConstraintWithDefaults(attribute.Expr)
			declared.kind, declared.defaults = kind, defaults
			all = append(all, found...)
		case "description", "default", "nullable", "sensitive", "ephemeral":
		default:
			all = append(all, problem(attribute.SrcRange, "a variable has no %s", name)...)
		}
	}
	return all
}
