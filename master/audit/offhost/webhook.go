package offhost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// answerWithin is how long a webhook may take.
	answerWithin = 30 * time.Second
	// explainMost bounds how much of a refusal is shown.
	explainMost = 200
)

// webhook takes entries as lines of JSON, each as "vedette audit --json" prints it.
type webhook struct {
	url, token string
	client     *http.Client
}

func (w *webhook) deliver(ctx context.Context, entries []wire.AuditEntry, _ func() ([]wire.AuditEntry, error)) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var body bytes.Buffer
	for _, entry := range entries {
		if err := json.NewEncoder(&body).Encode(entry); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, &body)
	if err != nil {
		return errors.New("cannot ask the webhook: its address is not valid") // it is not shown: it may be a secret
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Vedette-Audit-First", strconv.FormatUint(entries[0].Seq, 10))
	r.Header.Set("Vedette-Audit-Last", strconv.FormatUint(entries[len(entries)-1].Seq, 10))
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	answer, err := w.client.Do(r)
	if err != nil {
		var wrapped interface{ Unwrap() error }
		if errors.As(err, &wrapped) && wrapped.Unwrap() != nil {
			err = wrapped.Unwrap() // without the address
		}
		return fmt.Errorf("cannot reach the webhook: %w", err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, explainMost))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answers %s: %s", answer.Status, strings.TrimSpace(strings.ToValidUTF8(string(text), "?")))
	}
	return nil
}
