// Package nearest finds the word that was probably meant.
package nearest

import "fmt"

// Word returns the candidate closest to word, or "" if none is close: at most one
// change, plus one for every four bytes of word, and three at most. A change is
// one byte inserted, removed, replaced, or swapped with the next.
func Word(word string, candidates []string) string {
	best, distance := "", min(3, len(word)/4+1)+1
	for _, c := range candidates {
		if c == word {
			continue
		}
		if d := changes(word, c, distance); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// changes counts the changes from a to b, or returns limit if there are at least
// that many.
func changes(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}

// Ask returns "; did you mean …?" with the candidate closest to word, or "" if
// none is close. It follows an error that says that a word does not exist.
func Ask(word string, candidates []string) string {
	near := Word(word, candidates)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}
