// Command prose measures the English of the tree: comments, strings and documents.
//
//	go run ./scripts/prose [-tests] [DIR...]     figures of each folder
//	go run ./scripts/prose -list DIR...          every finding, as file:line: rule: text
//	go run ./scripts/prose -check [DIR...]       fails if a hard rule or a limit is broken
//	go run ./scripts/prose -sample N [-seed S]   comments drawn at random, to be read by a person
//
// CONTRIBUTING.md has the rules of style behind the figures. The program finds what a
// pattern can find, so a sentence that passes may still be hard to understand.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
)

// limits are the shares of a folder's comment sentences that findings of a rule must stay
// below under -check. A single finding is allowed in every folder, because in a small
// folder it would be more than the limit.
var limits = []struct {
	rule  rule
	below float64
}{{ruleColon, 0.05}, {rulePerson, 0.02}}

func main() {
	tests := flag.Bool("tests", false, "include tests in the figures, and their comments in the limits of -check")
	list := flag.Bool("list", false, "print every finding")
	check := flag.Bool("check", false, "print what breaks a hard rule or a limit, and exit with status 1 if anything does")
	sample := flag.Int("sample", 0, "print this many comments, drawn at random")
	seed := flag.Uint64("seed", 1, "the seed of -sample")
	flag.Parse()

	files, err := read(os.DirFS("."), flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(2)
	}
	switch {
	case *sample > 0:
		printSample(os.Stdout, files, *sample, *seed)
	case *list:
		printFindings(os.Stdout, files, func(finding) bool { return true })
	case *check:
		if !printFailures(os.Stdout, files, *tests) {
			os.Exit(1)
		}
	default:
		printFigures(os.Stdout, files, *tests)
	}
}

// read scans all files below the folders, or below the current folder if folders is empty.
func read(tree fs.FS, folders []string) ([]*file, error) {
	if len(folders) == 0 {
		folders = []string{"."}
	}
	var files []*file
	for _, folder := range folders {
		err := fs.WalkDir(tree, path.Clean(folder), func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && isForeign(name):
				return fs.SkipDir
			case entry.IsDir() || !isText(name):
				return nil
			}
			source, err := fs.ReadFile(tree, name)
			if err != nil {
				return err
			}
			f, err := scan(name, source)
			files = append(files, f)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// isForeign reports whether a folder holds files that others wrote or a program made.
func isForeign(name string) bool {
	base := path.Base(name)
	return base == "node_modules" || base == "swagger-ui" || base != "." && strings.HasPrefix(base, ".") && base != ".github" ||
		strings.HasSuffix(name, "web/dist") || strings.HasSuffix(name, "testdata/fuzz") || strings.HasSuffix(name, "testdata/rapid")
}

// isText reports whether the rules apply to the file. They do not apply to the program's
// own test, which contains what the rules refuse. Files without an extension count in the
// folder scripts only, where they are shell scripts.
func isText(name string) bool {
	switch path.Ext(name) {
	case ".go":
		return name != "scripts/prose/prose_test.go"
	case ".md", ".yaml", ".yml", ".svelte", ".js", ".lua", ".sql", ".sh":
		return true
	case "":
		return path.Dir(name) == "scripts"
	}
	return false
}

func printFindings(w io.Writer, files []*file, wanted func(finding) bool) (n int) {
	for _, f := range files {
		for _, found := range f.findings {
			if wanted(found) {
				say(w, "%s:%d: %s: %s\n", f.name, found.line, found.rule, found.text)
				n++
			}
		}
	}
	return n
}

// printFailures prints what breaks a hard rule or a limit, and returns true if nothing
// does.
func printFailures(w io.Writer, files []*file, tests bool) bool {
	ok := printFindings(w, files, func(f finding) bool { return f.rule.hard() }) == 0
	for _, sum := range sums(files) {
		if sum.kind != code && (sum.kind != testCode || !tests) {
			continue
		}
		for _, limit := range limits {
			n := sum.sentencesWith[limit.rule]
			if n > 1 && share(n, sum.sentences) >= limit.below {
				ok = false
				say(w, "%s: %s: in %d of %d comment sentences, %.1f %%, has to be below %.0f %%; see -list %s\n", sum.title(), limit.rule,
					n, sum.sentences, 100*share(n, sum.sentences), 100*limit.below, sum.folder)
			}
		}
	}
	return ok
}

func printFigures(w io.Writer, files []*file, tests bool) {
	say(w, "%-34s %8s %9s %7s %8s %5s %6s %6s\n", "", "comment", "sentences", "colon", "person", "IDs", "Name:", "is no")
	total := figures{folder: "total", sentencesWith: map[rule]int{}, found: map[rule]int{}}
	for _, sum := range sums(files) {
		if sum.kind == other || sum.kind == testCode && !tests {
			continue
		}
		printRow(w, sum)
		total.add(sum)
	}
	printRow(w, &total)
}

func printRow(w io.Writer, s *figures) {
	say(w, "%-34s %6.1f %% %9d %5.1f %% %6.1f %% %5d %6d %6d\n", s.title(),
		100*share(s.commentLines, s.commentLines+s.codeLines), s.sentences,
		100*share(s.sentencesWith[ruleColon], s.sentences), 100*share(s.sentencesWith[rulePerson], s.sentences),
		s.found[ruleID], s.found[ruleDocName], s.found[ruleNone])
}

func printSample(w io.Writer, files []*file, n int, seed uint64) {
	type drawn struct {
		*file
		comment
	}
	var all []drawn
	for _, f := range files {
		if f.kind == code {
			for _, c := range f.comments {
				all = append(all, drawn{f, c})
			}
		}
	}
	draw := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // The numbers draw a sample and protect nothing.
	draw.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, d := range all[:min(n, len(all))] {
		say(w, "%d. %s:%d\n%s\n    %s\n\n", i+1, d.name, d.line, d.source, d.next)
	}
}

// sums returns the total of each folder. It sorts them by folder, with code before tests.
func sums(files []*file) []*figures {
	type key struct {
		folder string
		kind   kind
	}
	all := map[key]*figures{}
	for _, f := range files {
		k := key{path.Dir(f.name), f.kind}
		if all[k] == nil {
			all[k] = &figures{folder: k.folder, kind: k.kind, sentencesWith: map[rule]int{}, found: map[rule]int{}}
		}
		all[k].add(&f.figures)
	}
	var sorted []*figures
	for _, sum := range all {
		sorted = append(sorted, sum)
	}
	slices.SortFunc(sorted, func(a, b *figures) int {
		return cmp.Or(cmp.Compare(a.folder, b.folder), cmp.Compare(a.kind, b.kind))
	})
	return sorted
}

func share(n, of int) float64 {
	return float64(n) / float64(max(of, 1))
}

func say(w io.Writer, format string, args ...any) {
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(2)
	}
}
