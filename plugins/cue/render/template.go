// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
)

// packages are the ones a template may import: CUE's own, those that compute and nothing else.
// CUE also has tool/exec, tool/http, tool/file and others. They only describe tasks, which the
// `cue` command would run and this program could not, but a template has no use for them here.
var packages = []string{
	"crypto/ed25519", "crypto/hmac", "crypto/md5", "crypto/sha1", "crypto/sha256", "crypto/sha512",
	"encoding/base64", "encoding/csv", "encoding/hex", "encoding/json", "encoding/openapi",
	"encoding/toml", "encoding/yaml", "html", "list", "math", "math/bits", "net", "path", "regexp",
	"strconv", "strings", "struct", "text/tabwriter", "text/template", "time", "uuid",
}

// parse reads a template. Every error names its line and column in the text as it was written.
func parse(source string) (*ast.File, *Fault) {
	file, err := parser.ParseFile("template", source, parser.ParseComments)
	if err != nil {
		return nil, parseFault(source, errors.Errors(err)[0])
	}
	if fault := checkAttributes(file); fault != nil {
		return nil, fault
	}
	return file, checkImports(file)
}

func parseFault(source string, err errors.Error) *Fault {
	fault := faultOf(Syntax, err)
	if advice := hint(source, err.Position().Offset()); advice != "" {
		fault.Message += " (" + advice + ")"
	}
	return fault
}

// checkAttributes refuses what would read files or other programs into the template.
func checkAttributes(file *ast.File) *Fault {
	for _, decl := range file.Decls {
		attribute, ok := decl.(*ast.Attribute)
		if ok && strings.HasPrefix(attribute.Text, "@extern") {
			fault := &Fault{Code: Unsupported, Message: fmt.Sprintf(
				"%s: a template consists of its own text only", attribute.Text)}
			return fault.at(attribute.Pos())
		}
	}
	return nil
}

func checkImports(file *ast.File) *Fault {
	for spec := range file.ImportSpecs() {
		name := importPathOf(spec)
		if slices.Contains(packages, name) || apiVersionOf(name) != "" {
			continue
		}
		fault := &Fault{Code: Unsupported, Message: fmt.Sprintf(
			"import %q: a template can import CUE's builtin packages, %s", name,
			"and Kubernetes API versions such as kube/apps/v1")}
		return fault.at(spec.Path.Pos())
	}
	return nil
}

func importPathOf(spec *ast.ImportSpec) string {
	name, _ := strconv.Unquote(spec.Path.Value)
	return name
}
