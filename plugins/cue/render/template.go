// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"
	"strconv"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
)

// packages are the ones a template may import: CUE's own, those that compute and nothing else.
// CUE also has tool/exec, tool/http, tool/file and others. They only describe tasks, which the
// `cue` command would run and this program could not, but a template has no use for them here.
var packages = []string{
	"crypto/ed25519", "crypto/hmac", "crypto/md5", "crypto/sha1", "crypto/sha256", "crypto/sha512",
	"encoding/base64", "encoding/csv", "encoding/hex", "encoding/json", "encoding/openapi",
	"encoding/toml", "encoding/yaml", "html", "list", "math", "math/bits", "net", "path", "regexp", "strconv",
	"strings", "struct", "text/tabwriter", "text/template", "time", "uuid",
}

// parse reads a template. Every error names its line and column in the text as it was written.
func parse(source string) (*ast.File, *Fault) {
	file, err := parser.ParseFile("template", source, parser.ParseComments)
	if err != nil {
		return nil, explain(Syntax, err)
	}
	if fault := checkImports(file); fault != nil {
		return nil, fault
	}
	return file, nil
}

func checkImports(file *ast.File) *Fault {
	for spec := range file.ImportSpecs() {
		name, err := strconv.Unquote(spec.Path.Value)
		if err == nil && slices.Contains(packages, name) {
			continue
		}
		fault := &Fault{Code: Unsupported, Message: fmt.Sprintf(
			"import %s: a template can import CUE's builtin packages only", spec.Path.Value)}
		return fault.at(spec.Path.Pos())
	}
	return nil
}
