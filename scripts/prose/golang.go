package main

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// scanGo applies the rules to comments, strings, and the names of tests.
func (f *file) scanGo(source []byte) error {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, f.name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if ast.IsGenerated(tree) {
		return nil
	}
	hasCode := f.countLines(source)
	lines := strings.Split(string(source), "\n")
	for _, group := range tree.Comments {
		text := commentLines(set, group)
		if len(text) == 0 {
			continue
		}
		f.scanIDs(text)
		f.scanParagraphs(paragraphs(text))
		f.keep(group, set, lines, hasCode)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		f.scanNode(set, n)
		return true
	})
	slices.SortStableFunc(f.findings, func(a, b finding) int { return a.line - b.line })
	return nil
}

// countLines counts lines of code and lines that hold a comment only. It returns which
// lines have code.
func (f *file) countLines(source []byte) map[int]bool {
	set := token.NewFileSet()
	in := set.AddFile("", set.Base(), len(source))
	var s scanner.Scanner
	s.Init(in, source, nil, scanner.ScanComments)
	hasCode, hasComment := map[int]bool{}, map[int]bool{}
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON && text != ";" { // the scanner has inserted the semicolon at the end of a line
			continue
		}
		first := in.Line(pos)
		for n := range strings.Count(text, "\n") + 1 {
			if tok == token.COMMENT {
				hasComment[first+n] = true
			} else {
				hasCode[first+n] = true
			}
		}
	}
	f.codeLines = len(hasCode)
	for number := range hasComment {
		if !hasCode[number] {
			f.commentLines++
		}
	}
	return hasCode
}

// keep stores the comment for -sample, with the line of code that the comment is about.
func (f *file) keep(group *ast.CommentGroup, set *token.FileSet, lines []string, hasCode map[int]bool) {
	first, last := set.Position(group.Pos()).Line, set.Position(group.End()).Line
	c := comment{line: first}
	if hasCode[first] {
		column := set.Position(group.Pos()).Column
		c.source, c.next = lines[first-1][column-1:], strings.TrimSpace(lines[first-1])
	} else {
		c.source = strings.Join(lines[first-1:last], "\n")
		for n := last; n < len(lines) && c.next == ""; n++ {
			c.next = strings.TrimSpace(lines[n])
		}
	}
	f.comments = append(f.comments, c)
}

var (
	directive = regexp.MustCompile(`^//(?:[a-z]+:[a-z]|line |export )`)
	output    = regexp.MustCompile(`(?i)^\s*(?:unordered )?output:`)
)

// commentLines returns the lines of a comment without comment marks. It leaves out
// directives, except for the reason after a directive, and the output that an Example
// expects.
func commentLines(set *token.FileSet, group *ast.CommentGroup) []line {
	var lines []line
	for _, c := range group.List {
		text := c.Text
		if directive.MatchString(text) {
			_, reason, found := strings.Cut(text[2:], "// ")
			if !found {
				continue
			}
			text = "// " + reason
		}
		if strings.HasPrefix(text, "/*") {
			text = strings.TrimSuffix(text, "*/")
		}
		for _, l := range numbered(text[2:], set.Position(c.Pos()).Line) {
			l.text = strings.TrimPrefix(l.text, " ")
			lines = append(lines, l)
		}
	}
	if len(lines) > 0 && output.MatchString(lines[0].text) {
		return nil
	}
	return lines
}

func (f *file) scanNode(set *token.FileSet, n ast.Node) {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind == token.STRING {
			f.scanString(n.Value[1:len(n.Value)-1], set.Position(n.Pos()).Line)
		}
	case *ast.FuncDecl:
		f.scanDoc(set, n.Doc, n.Name)
		f.scanTestName(n.Name.Name, set.Position(n.Pos()).Line)
	case *ast.GenDecl:
		if !n.Lparen.IsValid() {
			f.scanDoc(set, n.Doc, declared(n.Specs[0])...)
		}
	case *ast.TypeSpec:
		f.scanDoc(set, n.Doc, n.Name)
		f.scanDoc(set, n.Comment, n.Name)
	case *ast.ValueSpec:
		f.scanDoc(set, n.Doc, n.Names...)
		f.scanDoc(set, n.Comment, n.Names...)
	case *ast.Field:
		f.scanDoc(set, n.Doc, n.Names...)
		f.scanDoc(set, n.Comment, n.Names...)
	}
}

func declared(spec ast.Spec) []*ast.Ident {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return []*ast.Ident{spec.Name}
	case *ast.ValueSpec:
		return spec.Names
	}
	return nil
}

// scanDoc reports a doc comment that begins with the name and a colon.
func (f *file) scanDoc(set *token.FileSet, doc *ast.CommentGroup, names ...*ast.Ident) {
	text := doc.Text()
	for _, name := range names {
		if rest, found := strings.CutPrefix(text, name.Name+":"); found && strings.HasPrefix(rest, " ") {
			first, _, _ := strings.Cut(text, "\n")
			f.report(ruleDocName, set.Position(doc.Pos()).Line, first)
		}
	}
}

// scanString reports in a string what no text may have. It reports persons in tests only,
// where strings are names and messages.
func (f *file) scanString(text string, first int) {
	lines := numbered(text, first)
	f.scanIDs(lines)
	for _, l := range lines {
		if at := findNone(l.text); at >= 0 {
			f.report(ruleNone, l.number, l.text)
		}
		if f.kind == testCode && strings.Contains(l.text, " ") && hasPerson(l.text) {
			f.report(rulePerson, l.number, l.text)
		}
	}
}

var testName = regexp.MustCompile(`^(?:Test|Fuzz|Benchmark|Example)[A-Z]`)

func (f *file) scanTestName(name string, line int) {
	if f.kind != testCode || !testName.MatchString(name) {
		return
	}
	words := spell(name)
	if findNone(words) >= 0 {
		f.report(ruleNone, line, name)
	}
	if hasPerson(words) {
		f.report(rulePerson, line, name)
	}
}
