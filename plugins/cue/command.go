// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/json"
	"cuelang.org/go/encoding/yaml"

	"sluice/plugins/cue/render"
)

// renderCommand is `sluice-cue render`: one rendering, shown to a person.
func renderCommand(args []string) int {
	options := flag.NewFlagSet("render", flag.ContinueOnError)
	options.SetOutput(io.Discard)
	parameter := options.String("parameter", "", "")
	context := options.String("context", "", "")
	asJSON := options.Bool("json", false, "")
	template, err := parseMixed(options, args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "sluice-cue render: %v\n%s", err, usage)
		return exitUsage
	}
	in, err := readInput(template, *context, *parameter)
	if err != nil {
		return report(err)
	}
	result, fault := render.Render(in)
	if fault != nil {
		fmt.Fprint(os.Stderr, explainFault(template, in.Template, fault))
		return exitFailure
	}
	if *asJSON {
		return report(printJSON(os.Stdout, result))
	}
	return report(printYAML(os.Stdout, result))
}

// parseMixed takes the template's name before or after the options.
func parseMixed(options *flag.FlagSet, args []string) (string, error) {
	var names []string
	for {
		if err := options.Parse(args); err != nil {
			return "", err
		}
		if options.NArg() == 0 {
			break
		}
		names = append(names, options.Arg(0))
		args = options.Args()[1:]
	}
	if len(names) != 1 {
		return "", fmt.Errorf("expected one template, found %d", len(names))
	}
	return names[0], nil
}

func readInput(template, context, parameter string) (in render.Input, err error) {
	source, err := os.ReadFile(template)
	if err != nil {
		return in, err
	}
	in.Template = string(source)
	if in.Context, err = readJSONFile(context); err != nil {
		return in, err
	}
	in.Parameter, err = readJSONFile(parameter)
	return in, err
}

func readJSONFile(name string) (value any, err error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if err := decodeJSON(text, &value); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return value, nil
}

// explainFault shows an error the way compilers do, with the line that it is about.
func explainFault(name, source string, fault *render.Fault) string {
	if fault.Line == 0 {
		return fmt.Sprintf("%s: %s: %s\n", name, fault.Code, fault.Message)
	}
	text := fmt.Sprintf("%s:%d:%d: %s: %s\n",
		name, fault.Line, fault.Column, fault.Code, fault.Message)
	lines := strings.Split(source, "\n")
	if fault.Line > len(lines) {
		return text
	}
	line := lines[fault.Line-1]
	margin := []rune(line[:min(len(line), max(0, fault.Column-1))])
	for i, char := range margin {
		if char != '\t' {
			margin[i] = ' '
		}
	}
	return text + "    " + line + "\n    " + string(margin) + "^\n"
}

func printJSON(out io.Writer, result *render.Result) error {
	text, err := encodeJSON(result)
	if err == nil {
		_, err = fmt.Fprintf(out, "%s\n", text)
	}
	return err
}

// printYAML writes one document an object; those of `outputs` say their names in a comment.
func printYAML(out io.Writer, result *render.Result) error {
	if err := printDocument(out, "output", result.Output); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(result.Outputs)) {
		if err := printDocument(out, "outputs."+name, result.Outputs[name]); err != nil {
			return err
		}
	}
	return nil
}

func printDocument(out io.Writer, name string, object render.Object) error {
	expr, err := json.Extract(name, object)
	if err != nil {
		return err
	}
	text, err := yaml.Encode(cuecontext.New().BuildExpr(expr))
	if err == nil {
		_, err = fmt.Fprintf(out, "---\n# %s\n%s", name, text)
	}
	return err
}
