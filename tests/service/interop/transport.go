package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
)

// What an answer is, by its path.
func kindOf(path string) string {
	switch {
	case path == "/checkpoint":
		return "checkpoint"
	case strings.HasPrefix(path, "/tile/entries/"):
		return "bundle"
	case strings.HasPrefix(path, "/tile/"):
		return "tile"
	case strings.HasSuffix(path, "/proof"):
		return "proof"
	case strings.HasPrefix(path, "/v1/entries/"):
		return "entry"
	}
	return ""
}

// The bytes of an answer that are to be believed: of a JSON entry the envelope, of signed notes all but the end of the
// signature, whose last letter has bits that say nothing.
func believed(kind string, body []byte) []byte {
	switch kind {
	case "entry":
		_, rest, _ := bytes.Cut(body, []byte(`"envelope":"`))
		envelope, _, _ := bytes.Cut(rest, []byte(`","statement"`))
		return envelope
	case "checkpoint", "proof":
		return body[:len(body)-len("A=\n")]
	}
	return body
}

func fetch(request *http.Request) (*http.Response, []byte, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	return response, body, err
}

// Notes what was answered: by kind and path, the number of bytes that are to be believed.
type recorder struct {
	lock    sync.Mutex
	answers map[string]map[string]int
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, body, err := fetch(request)
	if err != nil {
		return nil, err
	}
	path := request.URL.Path
	kind := kindOf(path)
	r.lock.Lock()
	if r.answers[kind] == nil {
		r.answers[kind] = map[string]int{}
	}
	r.answers[kind][path] = len(believed(kind, body))
	r.lock.Unlock()
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// Flips one bit of the answer to one path.
type flipper struct {
	path, kind string
	at         int
	done       bool
}

func (f *flipper) RoundTrip(request *http.Request) (*http.Response, error) {
	response, body, err := fetch(request)
	if err != nil {
		return nil, err
	}
	if request.URL.Path == f.path {
		part := believed(f.kind, body)
		part[f.at/8] ^= 1 << (f.at % 8)
		f.done = true
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
