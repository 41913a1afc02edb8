// An independent client of a served log: golang.org/x/mod's note and tlog, nothing of Galen's.
//
//	client URL KEY CHECKPOINTS
//
// It checks the log against the checkpoints that were saved while it grew. Then it checks again and again with one
// bit of one answer flipped, and must refuse every time.
package main

import (
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// How often each kind of answer is tampered with.
const trials = 25

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: %s URL KEY CHECKPOINTS", os.Args[0]))
	}
	verifier, err := note.NewVerifier(os.Args[2])
	fail(err)
	saved, err := readAll(os.Args[3])
	fail(err)
	seen := &recorder{answers: map[string]map[string]int{}}
	tally, err := (&log{os.Args[1], verifier, client(seen)}).check(saved)
	fail(err)
	fmt.Println(tally)
	fail(tamper(os.Args[1], verifier, saved, seen))
	fail(otherKey(os.Args[1], saved))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "FOUND:", err)
		os.Exit(1)
	}
}

func client(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func readAll(folder string) ([][]byte, error) {
	files, err := os.ReadDir(folder)
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no checkpoints in %s: %v", folder, err)
	}
	var all [][]byte
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

// Checks with one bit of one answer flipped: every kind of answer, any of its bits.
func tamper(url string, verifier note.Verifier, saved [][]byte, seen *recorder) error {
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewSource(seed))
	for _, kind := range []string{"checkpoint", "tile", "bundle", "entry", "proof"} {
		paths := seen.paths(kind)
		if len(paths) == 0 {
			return fmt.Errorf("the client never asked for a %s", kind)
		}
		for i := 0; i < trials; i++ {
			path := paths[random.Intn(len(paths))]
			flip := &flipper{path: path, kind: kind, at: random.Intn(seen.answers[kind][path] * 8)}
			_, err := (&log{url, verifier, client(flip)}).check(saved)
			if !flip.done || err == nil {
				return fmt.Errorf("bit %d of %s flipped (%v), and it was not refused; seed %d", flip.at, path, flip.done, seed)
			}
		}
		fmt.Printf("%4d  flipped bits refused: %s, any of %d answers\n", trials, kind, len(paths))
	}
	return nil
}

// Another log of the same name signs nothing here.
func otherKey(url string, saved [][]byte) error {
	_, key, err := note.GenerateKey(nil, origin(saved[0]))
	if err != nil {
		return err
	}
	other, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	if _, err := (&log{url, other, client(http.DefaultTransport)}).check(saved); err == nil {
		return fmt.Errorf("another key of the same name was taken for the log's")
	}
	fmt.Println("   1  other key refused")
	return nil
}

func (r *recorder) paths(kind string) []string {
	var paths []string
	for path := range r.answers[kind] {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	return paths
}
