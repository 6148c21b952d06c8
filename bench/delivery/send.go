package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// sender has a load encoded and connections open, and can send it.
type sender struct {
	lanes []lane
	end   func()
}

// lane is what is sent one after the other, each when the one before has been
// acknowledged.
type lane struct {
	send    func(ctx context.Context, e encoded) error
	payload []encoded
}

// run sends everything and returns when all is acknowledged.
func (s *sender) run(ctx context.Context) error {
	errs := make([]error, len(s.lanes))
	var all sync.WaitGroup
	for i, l := range s.lanes {
		all.Go(func() {
			for _, e := range l.payload {
				if errs[i] = l.send(ctx, e); errs[i] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// reports is agents that report, each over a separate connection.
func reports(ctx context.Context, s *store, shape shape, c clock) (*sender, error) {
	peers, err := connect(ctx, s, shape.agents, rpc.SubprotocolCBOR)
	if err != nil {
		return nil, err
	}
	out := &sender{end: func() { hangUp(peers) }}
	for agent, peer := range peers {
		l := lane{send: func(ctx context.Context, e encoded) error {
			var result wire.ReportResult
			if err := peer.Call(ctx, wire.MasterReport.Name, e, &result); err != nil {
				return err
			}
			if result.Refused > 0 {
				return fmt.Errorf("%d samples were refused: %s", result.Refused, result.Reason)
			}
			return nil
		}}
		for round := range shape.rounds {
			l.payload = append(l.payload, shape.report(c, agent, round))
		}
		out.lanes = append(out.lanes, l)
	}
	return out, nil
}

// connect makes connections, and says hello on each as an agent does.
func connect(ctx context.Context, s *store, n int, codec string) ([]*rpc.Peer, error) {
	var peers []*rpc.Peer
	for agent := range n {
		peer, err := rpc.Dial(ctx, s.url(""), rpc.DialOptions{Codec: codec})
		if err != nil {
			return nil, err
		}
		peers = append(peers, peer)
		if err := peer.Call(ctx, wire.MasterHello.Name, hello(agent), nil); err != nil {
			return nil, err
		}
	}
	return peers, nil
}

func hangUp(peers []*rpc.Peer) {
	for _, peer := range peers {
		peer.Close(rpc.CloseNormal, "")
		peer.Wait()
	}
}

// writes is the same by remote write: a connection and a request in flight for
// each agent, a round of its series in each request.
func writes(s *store, shape shape, c clock) *sender {
	transport := &http.Transport{MaxIdleConnsPerHost: shape.agents}
	client := &http.Client{Transport: transport}
	out := &sender{end: transport.CloseIdleConnections}
	for agent := range shape.agents {
		l := lane{send: func(ctx context.Context, e encoded) error { return post(ctx, client, s.url(s.write), e) }}
		for round := range shape.rounds {
			l.payload = append(l.payload, shape.remoteWrite(c, agent, round))
		}
		out.lanes = append(out.lanes, l)
	}
	return out
}

func post(ctx context.Context, client *http.Client, url string, e encoded) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(e))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("HTTP %d: %.200s", response.StatusCode, body)
	}
	return err
}

// lanesPerPeer is how many calls of reportMetric a connection has in flight.
const lanesPerPeer = 16

// metrics is programs that call reportMetric as the walkthrough does, with one
// sample each time.
func metrics(ctx context.Context, s *store, shape shape, c clock) (*sender, error) {
	peers := make([]*rpc.Peer, shape.agents)
	for i := range peers {
		var err error
		if peers[i], err = rpc.Dial(ctx, s.url(""), rpc.DialOptions{Codec: rpc.SubprotocolJSON}); err != nil {
			return nil, err
		}
	}
	out := &sender{end: func() { hangUp(peers) }}
	for agent, peer := range peers {
		lanes := make([]lane, lanesPerPeer)
		for i := range lanes {
			lanes[i].send = func(ctx context.Context, e encoded) error {
				return peer.Call(ctx, wire.MasterReportMetric.Name, e, nil)
			}
		}
		for round := range shape.rounds {
			for series := range shape.series {
				l := &lanes[series%lanesPerPeer]
				l.payload = append(l.payload, metric(c, agent, series, round))
			}
		}
		out.lanes = append(out.lanes, lanes...)
	}
	return out, nil
}
