package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Client is a command's access to a running master.
type Client struct {
	settings cli.Settings
	Timeout  time.Duration   // how long to wait for an answer
	JSON     bool            // print JSON
	URL      string          // the master's address, set by DialOptions
	Dialed   rpc.DialOptions // the options of the last connection
	// NoContext makes it ignore what `vedette login` has stored.
	NoContext bool
	CA        string // the file of the trusted authorities, or ""; set by DialOptions
	hasToken  bool
	context   string // the context whose token is used, or ""
}

// SetMaster sets the address of the master as --master does.
func (c *Client) SetMaster(address string) { c.settings.Set("agent.master", address, "master") }

// Use selects the master and the token of a context, for requests over HTTP.
func (c *Client) Use(contexts *Contexts, name string) (err error) {
	x := contexts.All[name]
	c.URL, c.hasToken, c.context = x.URL, true, name
	c.Dialed = rpc.DialOptions{Header: http.Header{"Authorization": {"Bearer " + x.Token}}}
	if x.CA != "" {
		c.Dialed.TLS, err = rpc.TrustPEM([]byte(x.CA))
	}
	return err
}

// Flags adds the flags of every command that speaks with a master.
func (c *Client) Flags(cmd *cobra.Command) {
	c.settings.Flag(cmd, "master", "agent.master", "the master's `URL` (default $VEDETTE_MASTER, or http://127.0.0.1:50505)")
	c.settings.Flag(cmd, "token-file", "agent.token_file", "take the token from `FILE` (default $VEDETTE_TOKEN is the token)")
	c.settings.Flag(cmd, "ca", "agent.ca", "trust the authorities in the PEM `FILE` for the master's certificate (default $VEDETTE_CA)")
	cmd.Flags().DurationVar(&c.Timeout, "timeout", 10*time.Second, "give up on an answer after this `DURATION` (default $"+config.VariableTimeout+", or 10s)")
	cmd.Flags().Lookup("timeout").DefValue = "0" // hidden, because the text of the flag has the default
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = c.complete
	}
}

func (c *Client) JSONFlag(cmd *cobra.Command, usage string) {
	cmd.Flags().BoolVar(&c.JSON, "json", false, usage)
}

// DialOptions reads the settings. Connections use JSON, because commands show text in any
// case.
func (c *Client) DialOptions(cmd *cobra.Command) (rpc.DialOptions, error) {
	if err := c.readTimeout(cmd); err != nil {
		return rpc.DialOptions{}, err
	}
	cfg, err := c.settings.LoadClient()
	if err != nil {
		return rpc.DialOptions{}, err
	}
	for _, warning := range cfg.Warnings {
		if strings.Contains(warning, "VEDETTE_") {
			cli.Errln(cmd.ErrOrStderr(), "warning: %s", warning)
		}
	}
	c.URL, c.hasToken = cfg.Agent.Master, cfg.Agent.Token != ""
	o := rpc.DialOptions{Codec: wire.SubprotocolJSON, Again: 5}
	if c.hasToken {
		o.Header = http.Header{"Authorization": {"Bearer " + cfg.Agent.Token}}
	}
	if cfg.Agent.CA != "" {
		if o.TLS, err = rpc.TrustFile(cfg.Agent.CA); err != nil {
			return rpc.DialOptions{}, err
		}
	}
	c.CA = cfg.Agent.CA
	if err := c.useContext(cfg, &o); err != nil {
		return rpc.DialOptions{}, err
	}
	c.Dialed = o
	return o, nil
}

// readTimeout reads the timeout from the environment if no flag sets it.
func (c *Client) readTimeout(cmd *cobra.Command) error {
	name, text := "--timeout", os.Getenv(config.VariableTimeout)
	if text != "" && !cmd.Flags().Changed("timeout") {
		name = config.VariableTimeout
		var err error
		if c.Timeout, err = time.ParseDuration(text); err != nil {
			return cli.Usagef("%s is %q; write a duration, such as 30s", name, text)
		}
	}
	if c.Timeout <= 0 {
		return cli.Usagef("%s is %v; it must be above 0", name, c.Timeout)
	}
	return nil
}

// CallOnce connects, calls one method by its row, and closes the connection.
func CallOnce[P, R any](cmd *cobra.Command, c *Client, method wire.Method[P, R], params P) (R, error) {
	s, err := c.Open(cmd)
	if err != nil {
		var none R
		return none, err
	}
	defer s.Close()
	return Call(s, method, params)
}

// CallNamed is CallOnce for a method that the user has named.
func (c *Client) CallNamed(cmd *cobra.Command, method string, params, result any) error {
	s, err := c.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.call(method, params, result)
}

// Session is a connection for several calls in a row.
type Session struct {
	*Client
	ctx  context.Context
	Peer *rpc.Peer
}

// Open connects. The caller must close the session.
func (c *Client) Open(cmd *cobra.Command) (*Session, error) {
	o, err := c.DialOptions(cmd)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), c.Timeout)
	defer cancel()
	peer, err := rpc.Dial(ctx, c.URL, o)
	if err != nil {
		return nil, c.Explain(err)
	}
	return &Session{c, cmd.Context(), peer}, nil
}

// Call calls a method by its row, within the timeout.
func Call[P, R any](s *Session, method wire.Method[P, R], params P) (R, error) {
	var result R
	err := s.call(method.Name, params, &result)
	return result, err
}

func (s *Session) call(method string, params, result any) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.Timeout)
	defer cancel()
	return s.Explain(s.Peer.Call(ctx, method, params, result))
}

// Close ends the connection.
func (s *Session) Close() {
	_ = s.Peer.Close(rpc.CloseNormal, "")
	s.Peer.Wait()
}

// Explain makes errors of connections and calls say what to do, and sets the exit status of
// each.
func (c *Client) Explain(err error) error {
	var answer *rpc.Error
	var refusal *rpc.HTTPError
	var closed *rpc.CloseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer) && answer.Code == wire.CodeForbidden && c.context != "":
		// The master knows who asks, so another log-in of the same user changes nothing.
		return cli.Exit(cli.ExitRefused, fmt.Errorf("the master at %s refuses: %s", c.URL, answer.Message))
	case errors.As(err, &answer) && (answer.Code == wire.CodeUnauthenticated || answer.Code == wire.CodeForbidden):
		return c.Refused(answer.Message)
	case errors.As(err, &answer):
		return cli.Exit(cli.ExitAnswer, &answerError{answer})
	case errors.As(err, &refusal) && (refusal.Status == http.StatusUnauthorized || refusal.Status == http.StatusForbidden):
		return c.Refused(strings.TrimSpace(refusal.Body))
	case errors.As(err, &refusal):
		return c.unreachable(explainHTTP(refusal))
	case errors.As(err, &closed) && (closed.Code == wire.CloseUnauthenticated || closed.Code == wire.CloseForbidden):
		return c.Refused(closed.Reason)
	case errors.As(err, &closed) && closed.Code == wire.CloseVersion:
		return c.unreachable("it speaks another version of the protocol: " + closed.Reason)
	}
	return c.unreachable(explainNetwork(err, c.Timeout))
}

// answerError is an error that the master answered instead of a result.
type answerError struct{ answer *rpc.Error }

func (e *answerError) Error() string {
	return "the master answered: " + e.answer.Message
}

func (e *answerError) Unwrap() error { return e.answer }

func (c *Client) Refused(why string) error {
	hint := "is the token the right one?"
	switch {
	case c.context != "":
		hint = fmt.Sprintf("log in again with: vedette login %s", c.URL)
	case !c.hasToken:
		hint = "log in with `vedette login URL`, or give a token with --token-file or VEDETTE_TOKEN"
	}
	return cli.Exit(cli.ExitRefused, fmt.Errorf("the master at %s refuses: %s; %s", c.URL, why, hint))
}

func (c *Client) unreachable(why string) error {
	return cli.Exit(cli.ExitUnreachable, fmt.Errorf("cannot reach the master at %s: %s", c.URL, why))
}

func explainHTTP(e *rpc.HTTPError) string {
	body, _, _ := strings.Cut(strings.TrimSpace(e.Body), "\n")
	switch {
	case e.Status == http.StatusBadRequest && strings.Contains(body, "HTTPS"):
		return "it wants TLS; write https:// in its address"
	case e.Status == http.StatusUpgradeRequired && body != "":
		return body
	case e.Status == http.StatusServiceUnavailable, e.Status == http.StatusTooManyRequests:
		return fmt.Sprintf("it is busy (%d %s); try again", e.Status, body)
	}
	return fmt.Sprintf("what answers there is no master (HTTP %d); is the address right? is there a proxy in front of it that does not find it?", e.Status)
}

func explainNetwork(err error, timeout time.Duration) string {
	var dns *net.DNSError
	var address *url.Error
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var header tls.RecordHeaderError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused; is it running? start one with `vedette dev`"
	case errors.As(err, &dns):
		return fmt.Sprintf("there is no host %q; is the address right?", dns.Name)
	case errors.As(err, &unknown):
		return "its certificate is signed by an authority that is not trusted here; name that with --ca or VEDETTE_CA"
	case errors.As(err, &host):
		return host.Error()
	case errors.As(err, &header):
		return "it does not speak TLS; write http:// in its address"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("no answer within %v", timeout)
	case errors.As(err, &address):
		return address.Err.Error()
	}
	return err.Error()
}

// Answer returns the text of an error that the master answered, without "the master
// answered".
func Answer(err error) string {
	var answer *rpc.Error
	if errors.As(err, &answer) {
		return answer.Message
	}
	return err.Error()
}

// IsNotFound reports whether the master answered that something does not exist.
func IsNotFound(err error) bool {
	var answer *rpc.Error
	return errors.As(err, &answer) && answer.Code == wire.CodeNotFound
}
