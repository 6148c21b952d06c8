package rpc

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/vedettehq/vedette/internal/patience"
)

// TestExamplesAnswerPings checks of the agents in docs/examples what a Server
// cannot see of them: that they answer a ping with its data (RFC 6455, section
// 5.5.3). Their own test is beside them.
func TestExamplesAnswerPings(t *testing.T) {
	for _, command := range [][]string{{"python3", "agent.py"}, {"node", "agent.mjs"}} {
		t.Run(command[0], func(t *testing.T) {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skipf("NOT TESTED: there is no %s on this machine", command[0])
			}
			pong := make(chan string, 1)
			done := make(chan struct{})
			hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer ws.Close()
				ws.SetPongHandler(func(data string) error { pong <- data; return nil })
				if err := ws.WriteControl(websocket.PingMessage, []byte("are you there?"), time.Now().Add(time.Minute)); err != nil {
					t.Error(err)
				}
				for {
					if _, _, err := ws.NextReader(); err != nil {
						return
					}
				}
			}))
			defer hs.Close()
			ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
			defer cancel()
			cmd := exec.CommandContext(ctx, command[0], command[1], hs.URL)
			cmd.Dir = "../docs/examples"
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case data := <-pong:
				if data != "are you there?" {
					t.Errorf("the pong says %q", data)
				}
			case <-ctx.Done():
				t.Error("no pong came")
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			<-done
		})
	}
}
