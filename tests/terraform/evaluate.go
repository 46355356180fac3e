// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Arguments and blocks that are Terraform's, not the provider's or module's.
var meta = []string{"count", "for_each", "depends_on", "provider",
	"providers", "lifecycle", "source", "version"}

type values map[string]ctyjson.SimpleJSONValue

type input struct {
	Variables values            `json:"variables"`
	Data      values            `json:"data"`
	Computed  map[string]values `json:"computed"`
}

type result struct {
	// What was wrong; the rest is then empty.
	Errors    []string `json:"errors"`
	Locals    values   `json:"locals"`
	Resources values   `json:"resources"`
	Modules   values   `json:"modules"`
	Outputs   values   `json:"outputs"`
}

// A module with its variables. What has a value is evaluated when it is first
// asked for.
type scope struct {
	*module
	given     *input
	variables map[string]cty.Value
	found     map[string]cty.Value
	asked     map[string]bool
	all       hcl.Diagnostics
}

// Names of one evaluation, such as each.
type extra map[string]cty.Value

func evaluate(loaded *module, from io.Reader) (*result, error) {
	var given input
	if err := json.NewDecoder(from).Decode(&given); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	arguments := map[string]cty.Value{}
	for name, value := range given.Variables {
		arguments[name] = value.Value
	}
	opened := open(loaded, &given, arguments, hcl.Range{Filename: loaded.directory})
	made := &result{[]string{}, values{}, values{}, values{}, values{}}
	outputs := opened.finish()
	for _, one := range opened.all {
		made.Errors = append(made.Errors, one.Error())
	}
	if opened.all.HasErrors() {
		return made, nil
	}
	for name := range opened.locals {
		made.Locals[name] = simple(opened.find("local." + name))
	}
	for address, block := range opened.blocks {
		switch block.Type {
		case "resource":
			made.Resources[address] = simple(opened.find(address))
		case "module":
			made.Modules[block.Labels[0]] = simple(opened.find(address))
		}
	}
	for name, value := range outputs {
		made.Outputs[name] = simple(value)
	}
	return made, nil
}

func simple(value cty.Value) ctyjson.SimpleJSONValue {
	return ctyjson.SimpleJSONValue{Value: value}
}

// A module that is given these arguments, by the block at that place.
func open(loaded *module, given *input, arguments map[string]cty.Value, at hcl.Range) *scope {
	opened := &scope{module: loaded, given: given,
		variables: map[string]cty.Value{},
		found:     map[string]cty.Value{}, asked: map[string]bool{}}
	for name := range arguments {
		if loaded.variables[name] == nil {
			opened.fail(problem(at, "%s has no variable %s", loaded.directory, name))
		}
	}
	for name, declared := range loaded.variables {
		opened.variables[name] = opened.take(name, declared, arguments, at)
	}
	for _, declared := range loaded.variables {
		for _, validation := range declared.validations {
			opened.demand(validation, nil)
		}
	}
	return opened
}

func (s *scope) fail(found hcl.Diagnostics) {
	s.all = append(s.all, found...)
}

// The variable's value: the argument or the default, converted to its type.
func (s *scope) take(name string, declared *variable, arguments map[string]cty.Value, at hcl.Range) cty.Value {
	value, given := arguments[name]
	attributes := declared.block.Body.Attributes
	nullable := true
	if attribute := attributes["nullable"]; attribute != nil {
		nullable = s.constant(attribute.Expr).True()
	}
	if !given || (value.IsNull() && !nullable) {
		attribute := attributes["default"]
		if attribute == nil {
			s.fail(problem(at, "variable %s must be given", name))
			return cty.DynamicVal
		}
		value = s.constant(attribute.Expr)
	}
	if declared.defaults != nil && !value.IsNull() {
		value = declared.defaults.Apply(value)
	}
	converted, err := convert.Convert(value, declared.kind)
	if err != nil {
		s.fail(problem(at, "variable %s: %v", name, err))
		return cty.DynamicVal
	}
	return converted
}

func (s *scope) constant(expression hcl.Expression) cty.Value {
	value, found := expression.Value(nil)
	s.fail(found)
	return value
}

// A validation or precondition: where it does not hold, its message is told.
func (s *scope) demand(block *hclsyntax.Block, more extra) {
	condition := block.Body.Attributes["condition"]
	message := block.Body.Attributes["error_message"]
	if condition == nil || message == nil {
		s.fail(problem(block.TypeRange, "condition and error_message are needed"))
		return
	}
	holds := s.evaluate(condition.Expr, more)
	text := s.evaluate(message.Expr, more)
	if holds.IsKnown() && (holds.IsNull() || holds.False()) && text.IsKnown() {
		s.fail(problem(condition.SrcRange, "%s", text.AsString()))
	}
}

func (s *scope) evaluate(expression hcl.Expression, more extra) cty.Value {
	known := map[string]cty.Value{}
	tree := map[string]any{}
	for _, traversal := range expression.Variables() {
		if value, ok := more[traversal.RootName()]; ok {
			known[traversal.RootName()] = value
			continue
		}
		path := s.address(traversal)
		value := s.find(strings.Join(path, "."))
		if value == cty.NilVal {
			s.fail(problem(traversal.SourceRange(), "there is no %s", strings.Join(path, ".")))
			return cty.DynamicVal
		}
		grow(tree, path, value)
	}
	for name, branch := range tree {
		known[name] = object(branch)
	}
	value, found := expression.Value(&hcl.EvalContext{Variables: known, Functions: functions})
	s.fail(found)
	return value
}

// What a reference names: the first two parts, of data three.
func (s *scope) address(traversal hcl.Traversal) []string {
	if traversal.RootName() == "data" {
		return names(traversal, 3)
	}
	return names(traversal, 2)
}

func grow(tree map[string]any, path []string, value cty.Value) {
	if len(path) == 1 {
		tree[path[0]] = value
		return
	}
	branch, ok := tree[path[0]].(map[string]any)
	if !ok {
		branch = map[string]any{}
		tree[path[0]] = branch
	}
	grow(branch, path[1:], value)
}

func object(branch any) cty.Value {
	if value, ok := branch.(cty.Value); ok {
		return value
	}
	attributes := map[string]cty.Value{}
	for name, inner := range branch.(map[string]any) {
		attributes[name] = object(inner)
	}
	return cty.ObjectVal(attributes)
}

// The value of what has this address; NilVal where there is no such thing.
func (s *scope) find(address string) cty.Value {
	if value, ok := s.found[address]; ok {
		return value
	}
	if s.asked[address] {
		s.fail(problem(hcl.Range{Filename: s.directory}, "%s depends on itself", address))
		return cty.DynamicVal
	}
	s.asked[address] = true
	s.found[address] = s.make(address)
	return s.found[address]
}

func (s *scope) make(address string) cty.Value {
	kind, name, _ := strings.Cut(address, ".")
	switch kind {
	case "var":
		return s.variables[name]
	case "local":
		if expression := s.locals[name]; expression != nil {
			return s.evaluate(expression, nil)
		}
		return cty.NilVal
	}
	block := s.blocks[address]
	if block == nil {
		return cty.NilVal
	}
	switch block.Type {
	case "data":
		s.body(block.Body, nil)
		return s.given.Data[name].Value
	case "module":
		return s.call(block)
	}
	return s.resource(block)
}

// The outputs of another module.
func (s *scope) call(block *hclsyntax.Block) cty.Value {
	arguments := s.body(block.Body, nil)
	source := block.Body.Attributes["source"]
	if source == nil {
		s.fail(problem(block.TypeRange, "source is needed"))
		return cty.DynamicVal
	}
	path := s.constant(source.Expr).AsString()
	loaded, found := load(filepath.Join(s.directory, path))
	s.fail(found)
	if found.HasErrors() {
		return cty.DynamicVal
	}
	opened := open(loaded, s.given, arguments, block.TypeRange)
	outputs := opened.finish()
	if opened.all.HasErrors() {
		s.fail(opened.all)
		return cty.DynamicVal
	}
	return cty.ObjectVal(outputs)
}

// One object; a tuple of them with count, an object of them with for_each.
func (s *scope) resource(block *hclsyntax.Block) cty.Value {
	if attribute := block.Body.Attributes["count"]; attribute != nil {
		return s.counted(block, s.evaluate(attribute.Expr, nil))
	}
	if attribute := block.Body.Attributes["for_each"]; attribute != nil {
		return s.named(block, s.evaluate(attribute.Expr, nil))
	}
	return s.instance(block, nil)
}

func (s *scope) counted(block *hclsyntax.Block, count cty.Value) cty.Value {
	if !count.IsKnown() || count.Type() != cty.Number {
		return cty.DynamicVal
	}
	all := []cty.Value{}
	most, _ := count.AsBigFloat().Int64()
	for index := range most {
		all = append(all, s.instance(block, extra{"count": cty.ObjectVal(
			map[string]cty.Value{"index": cty.NumberIntVal(index)})}))
	}
	return cty.TupleVal(all)
}

func (s *scope) named(block *hclsyntax.Block, keys cty.Value) cty.Value {
	if !keys.IsWhollyKnown() || !keys.CanIterateElements() {
		return cty.DynamicVal
	}
	all := map[string]cty.Value{}
	for _, value := range keys.Elements() {
		all[value.AsString()] = s.instance(block, extra{"each": cty.ObjectVal(
			map[string]cty.Value{"key": value})})
	}
	return cty.ObjectVal(all)
}

func (s *scope) instance(block *hclsyntax.Block, more extra) cty.Value {
	made := s.body(block.Body, more)
	for name, value := range s.given.Computed[block.Labels[0]] {
		if _, ok := made[name]; !ok {
			made[name] = value.Value
		}
	}
	for _, inner := range block.Body.Blocks {
		if inner.Type != "lifecycle" {
			continue
		}
		for _, condition := range inner.Body.Blocks {
			s.demand(condition, more)
		}
	}
	return cty.ObjectVal(made)
}

// Arguments by name; blocks as a tuple of objects for each type.
func (s *scope) body(body *hclsyntax.Body, more extra) map[string]cty.Value {
	made := map[string]cty.Value{}
	for name, attribute := range body.Attributes {
		if !slices.Contains(meta, name) {
			made[name] = s.evaluate(attribute.Expr, more)
		}
	}
	inner := map[string][]cty.Value{}
	for _, block := range body.Blocks {
		if !slices.Contains(meta, block.Type) {
			inner[block.Type] = append(inner[block.Type], cty.ObjectVal(s.body(block.Body, more)))
		}
	}
	for name, all := range inner {
		made[name] = cty.TupleVal(all)
	}
	return made
}

// Evaluates all that is left, unless a variable was wrong. The outputs, by name.
func (s *scope) finish() map[string]cty.Value {
	if s.all.HasErrors() {
		return nil
	}
	for name := range s.locals {
		s.find("local." + name)
	}
	for address := range s.blocks {
		s.find(address)
	}
	outputs := map[string]cty.Value{}
	for name, block := range s.module.outputs {
		if value := block.Body.Attributes["value"]; value != nil {
			outputs[name] = s.evaluate(value.Expr, nil)
		} else {
			s.fail(problem(block.TypeRange, "output %s has no value", name))
		}
	}
	return outputs
}
