package config

import "strings"

// similar returns the candidate that somebody who wrote word probably meant, or
// "" where none is near: at most one edit for every three letters, and at least
// one is allowed.
func similar(word string, candidates []string) string {
	best, least := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		if d := edits(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// edits counts the letters to insert, delete or replace to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, replace)
		}
	}
	return row[len(b)]
}

// didYouMean completes a message with a suggestion, where there is one.
func didYouMean(word string, candidates []string) string {
	if s := similar(word, candidates); s != "" {
		return "; did you mean " + s + "?"
	}
	return ""
}
