package wire

// This file holds the messages of boards.

// BoardContent is what people decide of a board.
type BoardContent struct {
	Title     string          `json:"title"`
	Variables []BoardVariable `json:"variables,omitempty"`
	Panels    []BoardPanel    `json:"panels"`
}

// BoardVariable is a value of a label that is chosen on the board. Queries have it as
// $NAME, in a matcher such as host=~"$host"; no choice is every value.
type BoardVariable struct {
	Name  string `json:"name"`            // of letters, digits and "_"
	Label string `json:"label"`           // whose values are offered
	Value string `json:"value,omitempty"` // that is chosen at first; "" is all
	One   bool   `json:"one,omitempty"`   // all is no choice: without one it is the first value
}

// BoardPanel is one part of a board, on a grid of 12 columns.
type BoardPanel struct {
	Kind    string   `json:"kind"` // chart, number, table or text
	Title   string   `json:"title,omitempty"`
	Queries []string `json:"queries,omitempty"` // in PromQL
	Text    string   `json:"text,omitempty"`    // of the kind text; plain
	X       int      `json:"x"`                 // column, from 0
	Y       int      `json:"y"`                 // row, from 0
	W       int      `json:"w"`                 // columns
	H       int      `json:"h"`                 // rows
}

// Board is a board with who changed it last. If the history was requested, it has the
// newest change first.
type Board struct {
	Name string `json:"name"`
	BoardContent
	// Version counts the changes. It is "" of one that comes with the product, and has
	// not been changed.
	Version string        `json:"version"`
	Author  string        `json:"author,omitempty"`
	AtMS    int64         `json:"at_ms,omitempty"`
	Message string        `json:"message,omitempty"`
	BuiltIn bool          `json:"built_in,omitempty"` // the product brings one of this name
	History []BoardChange `json:"history,omitempty"`
}

// BoardChange is a change of a board.
type BoardChange struct {
	Version string `json:"version"`
	Author  string `json:"author"`
	AtMS    int64  `json:"at_ms"`
	Message string `json:"message,omitempty"`
	Deleted bool   `json:"deleted,omitempty"`
}

// BoardInfo is a board in the list.
type BoardInfo struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Panels  int    `json:"panels"`
	Version string `json:"version"`
	Author  string `json:"author,omitempty"`
	AtMS    int64  `json:"at_ms,omitempty"`
	BuiltIn bool   `json:"built_in,omitempty"`
}

// BoardsResult lists boards by name.
type BoardsResult struct {
	Boards []BoardInfo `json:"boards"`
}

// BoardParams name a board, and a version of it unless it is the present one.
type BoardParams struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// BoardPutParams make or change a board. Version is the one that the author has
// seen, "" for none: a change based on another than the present one is refused.
type BoardPutParams struct {
	Name    string       `json:"name"`
	Content BoardContent `json:"content"`
	Version string       `json:"version"`
	Message string       `json:"message,omitempty"`
}

// BoardDeleteParams delete a board. One that comes with the product is as it came
// after that.
type BoardDeleteParams struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Message string `json:"message,omitempty"`
}
