package testserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// respError is an error that a Redis answered.
type respError string

func (e respError) Error() string { return string(e) }

// ask connects to a Redis, sends commands and gives the last answer, in the
// second version of Redis's protocol (redis.io/docs/reference/protocol-spec): a
// string, an int64, nil or an []any of these. The first error of any is given.
func ask(network, address string, commands ...[]string) (any, error) {
	connection, err := net.DialTimeout(network, address, patience)
	if err != nil {
		return nil, fmt.Errorf("connecting to Redis: %w", err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, fmt.Errorf("connecting to Redis: %w", err)
	}
	var request strings.Builder
	for _, command := range commands {
		fmt.Fprintf(&request, "*%d\r\n", len(command))
		for _, word := range command {
			fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(word), word)
		}
	}
	if _, err := io.WriteString(connection, request.String()); err != nil {
		return nil, fmt.Errorf("asking Redis: %w", err)
	}
	var answer any
	reader := bufio.NewReader(connection)
	for range commands {
		if answer, err = readAnswer(reader); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

func readAnswer(reader *bufio.Reader) (any, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("reading Redis's answer: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return nil, errors.New("reading Redis's answer: it is empty")
	}
	kind, text := line[0], line[1:]
	if kind == '+' {
		return text, nil
	}
	if kind == '-' {
		return nil, respError(text)
	}
	number, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading Redis's answer: %w", err)
	case kind == ':':
		return number, nil
	case number < 0:
		return nil, nil
	case kind == '$':
		value := make([]byte, number+2)
		if _, err := io.ReadFull(reader, value); err != nil {
			return nil, fmt.Errorf("reading Redis's answer: %w", err)
		}
		return string(value[:number]), nil
	case kind == '*':
		all := make([]any, number)
		for i := range all {
			if all[i], err = readAnswer(reader); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return nil, fmt.Errorf("reading Redis's answer: it begins with %q", kind)
}
