// A program for test pods. It answers HTTP on port 8080: `/` with the pod's name, `/lookup/NAME` with the addresses of a
// name, `/dial/HOST:PORT` with the first line that a GET there is answered with. It uses no HTTP library, to build fast.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func answer(path string) string {
	kind, argument, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch kind {
	case "lookup":
		addresses, err := net.LookupHost(argument)
		return fmt.Sprint(addresses, err)
	case "dial":
		connection, err := net.DialTimeout("tcp", argument, 5*time.Second)
		if err != nil {
			return err.Error()
		}
		defer connection.Close()
		fmt.Fprintf(connection, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", argument)
		line, err := bufio.NewReader(connection).ReadString('\n')
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(line)
	}
	return os.Getenv("HOSTNAME")
}

func serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	request, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	for line := ""; line != "\r\n" && err == nil; {
		line, err = reader.ReadString('\n')
	}
	words := strings.Fields(request)
	if len(words) < 2 {
		return
	}
	body := answer(words[1])
	fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func main() {
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening")
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go serve(connection)
	}
}
