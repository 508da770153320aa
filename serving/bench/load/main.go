// Load for an inference server: closed loop (as fast as the connections allow) or open loop (a fixed rate, whose
// latencies count from the moment a request was due, not from the moment it could be sent). One request is prepared
// beforehand and repeated. Prints one JSON object. SIGINT ends the load in order: what is in flight is still awaited.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type settings struct {
	target      string
	rpc         string
	method      string
	headers     headerList
	body        []byte
	expected    []byte
	connections int
	rate        float64
	warmUp      time.Duration
	duration    time.Duration
	timeout     time.Duration
}

// headerList collects a flag that is given several times.
type headerList []string

func (list *headerList) String() string { return fmt.Sprint(*list) }

func (list *headerList) Set(value string) error {
	*list = append(*list, value)
	return nil
}

// exchanger sends the prepared request over a connection of its own and returns the answer's body, valid until the
// next call. An answer that is no success is an error that says which.
type exchanger interface {
	exchange(deadline time.Time) ([]byte, error)
	close()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run() error {
	chosen, once, output, err := parse()
	if err != nil {
		return err
	}
	connect, err := connector(chosen)
	if err != nil {
		return err
	}
	if once {
		return exchangeOnce(connect, chosen, output)
	}
	stop := make(chan struct{})
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-asked
		close(stop)
	}()
	return json.NewEncoder(os.Stdout).Encode(attack(chosen, connect, stop))
}

func parse() (settings, bool, string, error) {
	var chosen settings
	flag.StringVar(&chosen.target, "target", "", "http://HOST:PORT/PATH, or HOST:PORT with -rpc")
	flag.StringVar(&chosen.rpc, "rpc", "", "full name of a unary gRPC method; the body is its serialised message")
	flag.StringVar(&chosen.method, "method", "POST", "HTTP method")
	flag.Var(&chosen.headers, "header", "`Name: value`; may be repeated")
	body := flag.String("body", "", "file with the request's body")
	expected := flag.String("expect", "", "file with the body that answers should have; others are reported as variants")
	flag.IntVar(&chosen.connections, "connections", 16, "connections, each with one request at a time")
	flag.Float64Var(&chosen.rate, "rate", 0, "requests a second, evenly spaced; 0: closed loop")
	flag.DurationVar(&chosen.warmUp, "warm-up", time.Second, "load that is not counted, before the duration")
	flag.DurationVar(&chosen.duration, "duration", 10*time.Second, "load that is counted")
	flag.DurationVar(&chosen.timeout, "timeout", 10*time.Second, "how long one answer may take")
	once := flag.Bool("once", false, "send one request, and write the answer's body to -output")
	output := flag.String("output", "/dev/stdout", "where -once writes to")
	flag.Parse()
	var err error
	if *body != "" {
		if chosen.body, err = os.ReadFile(*body); err != nil {
			return chosen, false, "", err
		}
	}
	if *expected != "" {
		if chosen.expected, err = os.ReadFile(*expected); err != nil {
			return chosen, false, "", err
		}
	}
	if flag.NArg() > 0 || chosen.target == "" || chosen.connections < 1 || chosen.rate < 0 {
		return chosen, false, "", fmt.Errorf("wrong arguments; -help lists them")
	}
	return chosen, *once, *output, nil
}

func connector(chosen settings) (func() exchanger, error) {
	if chosen.rpc != "" {
		return func() exchanger { return newRPC(chosen) }, nil
	}
	request, address, err := prepare(chosen)
	if err != nil {
		return nil, err
	}
	return func() exchanger { return &httpExchanger{address: address, request: request} }, nil
}

func exchangeOnce(connect func() exchanger, chosen settings, output string) error {
	connection := connect()
	defer connection.close()
	answer, err := connection.exchange(time.Now().Add(chosen.timeout))
	if err != nil {
		return err
	}
	return os.WriteFile(output, answer, 0o644)
}
