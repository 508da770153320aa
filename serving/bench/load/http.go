package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"
)

// httpExchanger speaks as much HTTP/1.1 as a load needs, so that the load costs far less than what it measures. It
// connects when it has to, and again after an answer that says `connection: close`.
type httpExchanger struct {
	address    string
	request    []byte
	connection net.Conn
	reader     *bufio.Reader
	body       []byte
}

// prepare writes the request out once, and says where it goes.
func prepare(chosen settings) (request []byte, address string, err error) {
	target, err := url.Parse(chosen.target)
	if err != nil {
		return nil, "", err
	}
	if target.Scheme != "http" || target.Port() == "" {
		return nil, "", fmt.Errorf("%s is not http://HOST:PORT/PATH", chosen.target)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\n", chosen.method, target.RequestURI(), target.Host)
	for _, header := range chosen.headers {
		fmt.Fprintf(&text, "%s\r\n", header)
	}
	if chosen.body != nil {
		fmt.Fprintf(&text, "Content-Length: %d\r\n", len(chosen.body))
	}
	text.WriteString("\r\n")
	text.Write(chosen.body)
	return text.Bytes(), target.Host, nil
}

func (exchange *httpExchanger) close() {
	if exchange.connection != nil {
		exchange.connection.Close()
		exchange.connection = nil
	}
}

func (exchange *httpExchanger) exchange(deadline time.Time) ([]byte, error) {
	body, keep, err := exchange.attempt(deadline)
	if err != nil || !keep {
		exchange.close()
	}
	return body, err
}

func (exchange *httpExchanger) attempt(deadline time.Time) (body []byte, keep bool, err error) {
	if exchange.connection == nil {
		dialer := net.Dialer{Deadline: deadline}
		if exchange.connection, err = dialer.Dial("tcp", exchange.address); err != nil {
			return nil, false, named("connect", err)
		}
		exchange.reader = bufio.NewReaderSize(exchange.connection, 64<<10)
	}
	if err := exchange.connection.SetDeadline(deadline); err != nil {
		return nil, false, named("connection", err)
	}
	if _, err := exchange.connection.Write(exchange.request); err != nil {
		return nil, false, named("send", err)
	}
	status, length, keep, err := exchange.readHead()
	if err != nil {
		return nil, false, named("answer", err)
	}
	if err := exchange.readBody(length); err != nil {
		return nil, false, named("answer", err)
	}
	if status != 200 {
		return nil, keep, fmt.Errorf("HTTP %d", status)
	}
	return exchange.body, keep, nil
}

const chunked = -1

// readHead reads up to the empty line: the status, the body's length (or chunked), whether the connection goes on.
func (exchange *httpExchanger) readHead() (status int, length int64, keep bool, err error) {
	line, err := exchange.reader.ReadSlice('\n')
	if err != nil {
		return 0, 0, false, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return 0, 0, false, errors.New("no HTTP")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, false, errors.New("no HTTP status")
	}
	keep = true
	for {
		if line, err = exchange.reader.ReadSlice('\n'); err != nil {
			return 0, 0, false, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return status, length, keep, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return 0, 0, false, errors.New("no Content-Length")
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			length = chunked
		case bytes.EqualFold(name, []byte("connection")) && bytes.EqualFold(value, []byte("close")):
			keep = false
		}
	}
}

func (exchange *httpExchanger) readBody(length int64) (err error) {
	if length == chunked {
		exchange.body, err = io.ReadAll(httputil.NewChunkedReader(exchange.reader))
		if err == nil { // the chunked reader leaves the empty line after the last chunk
			_, err = exchange.reader.ReadSlice('\n')
		}
		return err
	}
	if int64(cap(exchange.body)) < length {
		exchange.body = make([]byte, length)
	}
	exchange.body = exchange.body[:length]
	_, err = io.ReadFull(exchange.reader, exchange.body)
	return err
}

// named says in a few words, the same for every occurrence, what went wrong: errors are counted by their text.
func named(where string, err error) error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s: timed out", where)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: connection closed", where)
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return fmt.Errorf("%s: %w", where, err)
}
