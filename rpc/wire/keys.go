package wire

import "github.com/vedettehq/vedette/internal/signing"

// This file holds the messages of lines of keys that sign code: which key has followed
// which, and which are revoked.

// KeyStatement is one statement of a line of keys, signed by the newest key of it: which
// key follows that one, or which key of the line counts for nothing any more. PROTOCOL.md
// has the bytes that are signed.
type KeyStatement struct {
	// Number is 1 for the first statement of a line, and one more each time.
	Number int64 `json:"number"`
	// Prev is the hex SHA-256 of the content of the statement before; "" for the first.
	Prev string `json:"prev,omitempty"`
	By   string `json:"by"` // the public key that signs, in the form of a configuration
	// Next is the key that follows, or Revoked the one that no longer counts.
	Next    string `json:"next,omitempty"`
	Revoked string `json:"revoked,omitempty"`
	// FromMS is when Next begins to count, and UntilMS until when a host may begin with
	// code that By has signed; 0 is no bound.
	FromMS    int64  `json:"from_ms,omitempty"`
	UntilMS   int64  `json:"until_ms,omitempty"`
	Signature string `json:"signature"` // of By: of Ed25519, in base64
	// NextSignature is that of Next, so that nobody puts another's key into a line.
	NextSignature string `json:"next_signature,omitempty"`
}

// KeyLine is the statements of one line, the first first.
type KeyLine struct {
	Statements []KeyStatement `json:"statements"`
}

// MaxKeyLines is how many lines of keys an agent is told at most.
const MaxKeyLines = 32

// KeyLines are lines of keys that a master knows.
type KeyLines struct {
	Lines []KeyLine `json:"lines"`
}

// KeysResult is an agent's answer to the lines of keys.
type KeysResult struct {
	// Signers are those of its hello, at present.
	Signers []string `json:"signers,omitempty"`
	// Refused are the lines that it does not follow, each with the reason.
	Refused []string `json:"refused,omitempty"`
}

// KeyAddParams have the next statement of a line, or the first of a new one.
type KeyAddParams struct {
	Statement KeyStatement `json:"statement"`
}

// SaidOf is a statement as a message has it.
func SaidOf(s signing.Succession) KeyStatement { return KeyStatement(s) }

// Read reads the line, and verifies every statement.
func (l KeyLine) Read() (*signing.Line, error) {
	said := make([]signing.Succession, 0, len(l.Statements))
	for _, s := range l.Statements {
		said = append(said, signing.Succession(s))
	}
	return signing.ReadLine(said)
}

// LineOf is a line as a message has it.
func LineOf(l *signing.Line) KeyLine {
	var line KeyLine
	for _, s := range l.Statements() {
		line.Statements = append(line.Statements, KeyStatement(s))
	}
	return line
}

// keyID is the id of the key that signs the statement, for the audit log.
func (s KeyStatement) keyID() string {
	key, err := signing.ParsePublic(s.By)
	if err != nil {
		return "no key"
	}
	return key.ID()
}
