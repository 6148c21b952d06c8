package rpc

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/gorilla/websocket"
)

// Message is a notification that is encoded at most once in each codec,
// however many peers it is sent to. It may be sent from several goroutines.
type Message struct {
	method string
	params any
	json   encoded
	cbor   encoded
}

type encoded struct {
	once     sync.Once
	data     []byte
	prepared *websocket.PreparedMessage // the same as WebSocket frames
	err      error
}

// NewMessage makes a notification. params must not change any more.
func NewMessage(method string, params any) *Message {
	return &Message{method: method, params: params}
}

func (m *Message) encode(c codec) *encoded {
	e := &m.json
	if c.frameType() == websocket.BinaryMessage {
		e = &m.cbor
	}
	e.once.Do(func() {
		var buf bytes.Buffer
		if err := c.appendRequest(&buf, 0, m.method, m.params); err != nil {
			e.err = fmt.Errorf("cannot encode the notification %q: %w", m.method, err)
			return
		}
		e.data = buf.Bytes()
		e.prepared, e.err = websocket.NewPreparedMessage(c.frameType(), e.data)
	})
	return e
}
