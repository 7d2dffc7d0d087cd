// A server that speaks MongoDB's wire protocol, for tests on machines without MongoDB: FerretDB over SQLite behind a door that
// lets one command in at a time, because FerretDB's updates read and write in two steps where MongoDB's are atomic.
//
//	ferretdb-server FOLDER    prints the address as mongodb://127.0.0.1:PORT/ and ends when standard input does
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// The least and the most that a message of the protocol has.
const (
	headerSize = 16
	maxMessage = 48_000_000
)

// readMessage waits for a whole message, so that a slow sender holds up nobody.
func readMessage(from io.Reader) ([]byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(from, header[:]); err != nil {
		return nil, err
	}
	size := int64(int32(binary.LittleEndian.Uint32(header[:])))
	if size < headerSize || size > maxMessage {
		return nil, fmt.Errorf("a message of %d bytes", size)
	}
	message := make([]byte, size)
	copy(message, header[:])
	_, err := io.ReadFull(from, message[headerSize:])
	return message, err
}

// serve answers one client, command by command.
func serve(client net.Conn, socket string, door *sync.Mutex) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		command, err := readMessage(client)
		if err != nil {
			return
		}
		door.Lock()
		_, err = server.Write(command)
		var answer []byte
		if err == nil {
			answer, err = readMessage(server)
		}
		door.Unlock()
		if err != nil {
			return
		}
		if _, err = client.Write(answer); err != nil {
			return
		}
	}
}

func accept(listener net.Listener, socket string) {
	var door sync.Mutex
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go serve(client, socket, &door)
	}
}

// awaitSocket returns when FerretDB listens.
func awaitSocket(socket string) {
	for {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func run(folder string) error {
	socket := filepath.Join(folder, "ferretdb.sock")
	db, err := ferretdb.New(&ferretdb.Config{
		Logger:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Handler:   "sqlite",
		SQLiteURL: "file:" + folder + "/",
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- db.Run(ctx) }()
	awaitSocket(socket)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		stop()
		return err
	}
	go accept(listener, socket)
	fmt.Printf("mongodb://%s/\n", listener.Addr())
	io.Copy(io.Discard, os.Stdin)
	listener.Close()
	stop()
	return <-ended
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ferretdb-server FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb-server:", err)
		os.Exit(1)
	}
}
