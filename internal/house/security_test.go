package house

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rules is how many there are in docs/security.md: S1 to S45.
const rules = 45

// A rule that no test attacks is a wish. docs/security.md names at least one
// for each, as `package: TestName, TestName; package: TestName`, and each of
// them exists, so that "make test" runs it.
func TestEveryRuleHasTests(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for line := range strings.SplitSeq(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		rule := strings.TrimSpace(cells[0])
		if !regexp.MustCompile(`^S\d+$`).MatchString(rule) {
			continue
		}
		if seen[rule] {
			t.Errorf("%s is there twice", rule)
		}
		seen[rule] = true
		if len(cells) != 5 {
			t.Errorf("%s has %d cells, want 5: rule, what it demands, how it is kept, tests, the operator's part", rule, len(cells))
			continue
		}
		for i, cell := range cells {
			if strings.TrimSpace(cell) == "" {
				t.Errorf("%s: cell %d is empty", rule, i+1)
			}
		}
		for _, problem := range missingTests(cells[3]) {
			t.Errorf("%s: %s", rule, problem)
		}
	}
	for n := 1; n <= rules; n++ {
		if rule := fmt.Sprintf("S%d", n); !seen[rule] {
			t.Errorf("%s is missing", rule)
		}
	}
}

var testName = regexp.MustCompile(`^(Test|Fuzz)\w+$`)

// missingTests says which tests of a cell do not exist.
func missingTests(cell string) (problems []string) {
	cell = strings.ReplaceAll(cell, "`", "")
	for group := range strings.SplitSeq(cell, ";") {
		folder, names, found := strings.Cut(strings.TrimSpace(group), ":")
		if !found {
			problems = append(problems, fmt.Sprintf("%q is not of the form package: TestName", group))
			continue
		}
		source := testSource(folder)
		for name := range strings.SplitSeq(names, ",") {
			name = strings.TrimSpace(name)
			if !testName.MatchString(name) || !strings.Contains(source, "\nfunc "+name+"(") {
				problems = append(problems, fmt.Sprintf("%s has no test %q", folder, name))
			}
		}
	}
	return problems
}

// testSource is all test code of a package of this module.
func testSource(folder string) string {
	files, _ := filepath.Glob(filepath.Join("../..", filepath.FromSlash(folder), "*_test.go"))
	var all strings.Builder
	for _, file := range files {
		text, _ := os.ReadFile(file)
		all.Write(text)
		all.WriteByte('\n')
	}
	return all.String()
}

func TestMissingTests(t *testing.T) {
	for cell, want := range map[string]int{
		"`internal/house: TestMissingTests, TestEveryRuleHasTests`": 0,
		"internal/house: TestNothing":                               1,
		"internal/nowhere: TestMissingTests":                        1,
		"TestMissingTests":                                          1,
		"internal/house: Missing":                                   1,
		"":                                                          1,
	} {
		if got := missingTests(cell); len(got) != want {
			t.Errorf("%q: %q", cell, got)
		}
	}
}
