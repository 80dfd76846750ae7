package main

import (
	"io"
	"net"
	"net/http"
	"time"
)

// burn computes for a millisecond: what the mixed workload's slow requests cost.
func burn() {
	for begin := time.Now(); time.Since(begin) < time.Millisecond; {
	}
}

func serveEcho() error {
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go echo(connection)
	}
}

// echo answers on a connection, on which net has set TCP_NODELAY.
func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 1024)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if buffer[0] == '!' {
			burn()
		}
		if _, err := connection.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func serveHTTP() error {
	return http.ListenAndServe(*listen, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Server", "Go")
		io.WriteString(w, "Hello, World!")
	}))
}
