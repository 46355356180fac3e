// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Terraform's functions: those of the library that Terraform takes as well, and
// those few that are its own.
var functions = map[string]function.Function{
	"alltrue":    function.New(&allTrue),
	"can":        tryfunc.CanFunc,
	"concat":     stdlib.ConcatFunc,
	"distinct":   stdlib.DistinctFunc,
	"endswith":   ofTwoStrings(strings.HasSuffix),
	"flatten":    stdlib.FlattenFunc,
	"floor":      stdlib.FloorFunc,
	"jsonencode": stdlib.JSONEncodeFunc,
	"length":     function.New(&length),
	"one":        function.New(&one),
	"regex":      stdlib.RegexFunc,
	"split":      stdlib.SplitFunc,
	"startswith": ofTwoStrings(strings.HasPrefix),
	"toset":      function.New(&toSet),
	"trimprefix": stdlib.TrimPrefixFunc,
}

func ofTwoStrings(holds func(text, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "text", Type: cty.String},
			{Name: "part", Type: cty.String},
		},
		Type: function.StaticReturnType(cty.Bool),
		Impl: func(values []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(holds(values[0].AsString(), values[1].AsString())), nil
		},
	})
}

var allTrue = function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(values []cty.Value, _ cty.Type) (cty.Value, error) {
		for _, one := range values[0].AsValueSlice() {
			if !one.IsKnown() {
				return cty.UnknownVal(cty.Bool), nil
			}
			if one.IsNull() || one.False() {
				return cty.False, nil
			}
		}
		return cty.True, nil
	},
}

// Of a string the characters, of anything else the elements.
var length = function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(values []cty.Value, _ cty.Type) (cty.Value, error) {
		if values[0].Type() == cty.String {
			return stdlib.Strlen(values[0])
		}
		if values[0].Type().IsTupleType() {
			return cty.NumberIntVal(int64(values[0].LengthInt())), nil
		}
		return stdlib.Length(values[0])
	},
}

var one = function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(values []cty.Value) (cty.Type, error) {
		if elements := values[0].AsValueSlice(); len(elements) == 1 {
			return elements[0].Type(), nil
		} else if len(elements) > 1 {
			return cty.NilType, function.NewArgErrorf(0, "more than one element")
		}
		return cty.DynamicPseudoType, nil
	},
	Impl: func(values []cty.Value, kind cty.Type) (cty.Value, error) {
		for _, element := range values[0].AsValueSlice() {
			return element, nil
		}
		return cty.NullVal(kind), nil
	},
}

var toSet = function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.String)}},
	Type:   function.StaticReturnType(cty.Set(cty.String)),
	Impl: func(values []cty.Value, _ cty.Type) (cty.Value, error) {
		if values[0].LengthInt() == 0 {
			return cty.SetValEmpty(cty.String), nil
		}
		return cty.SetVal(values[0].AsValueSlice()), nil
	},
}
