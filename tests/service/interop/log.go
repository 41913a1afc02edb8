package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// A served log.
type log struct {
	url      string
	verifier note.Verifier
	client   *http.Client
}

func (l *log) get(path string) ([]byte, error) {
	response, err := l.client.Get(l.url + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, response.StatusCode)
	}
	return body, err
}

// Tiles over HTTP; tlog checks them against the tree.
type tiles struct{ *log }

func (tiles) Height() int { return height }

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		var err error
		path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		if data[i], err = t.get("/tile/" + path); err != nil {
			return nil, err
		}
		if len(data[i]) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %s: %d bytes", path, len(data[i]))
		}
	}
	return data, nil
}

func origin(checkpoint []byte) string {
	first, _, _ := strings.Cut(string(checkpoint), "\n")
	return first
}

// A checkpoint (c2sp.org/tlog-checkpoint): signed by the log, under its own name.
func (l *log) open(text []byte) (tlog.Tree, error) {
	signed, err := note.Open(text, note.VerifierList(l.verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != l.verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: not of this log: %q", signed.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	root, err := hash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func hash(text string) (tlog.Hash, error) {
	var h tlog.Hash
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err == nil && copy(h[:], data) != len(data) || len(data) != tlog.HashSize {
		err = fmt.Errorf("%q is no hash", text)
	}
	return h, err
}

// What was checked.
type tally struct{ trees, steps, inclusions, leaves, proofs int }

func (t tally) String() string {
	return fmt.Sprintf("%4d  trees rebuilt from tiles\n%4d  consistency proofs\n%4d  inclusion proofs from tiles\n"+
		"%4d  entries of bundles hashed\n%4d  served inclusion proofs", t.trees, t.steps, t.inclusions, t.leaves, t.proofs)
}

// Everything: saved checkpoints against the present one, entries against the tree, served proofs.
func (l *log) check(saved [][]byte) (tally, error) {
	var done tally
	text, err := l.get("/checkpoint")
	if err != nil {
		return done, err
	}
	head, err := l.open(text)
	if err != nil {
		return done, err
	}
	entries, err := l.leaves(head)
	if err != nil {
		return done, err
	}
	done.leaves = len(entries)
	for _, text := range append(saved, text) {
		old, err := l.open(text)
		if err != nil {
			return done, err
		}
		if err := l.checkTree(old, head, entries, &done); err != nil {
			return done, fmt.Errorf("size %d: %w", old.N, err)
		}
	}
	for _, index := range sample(head.N) {
		if err := l.checkEntry(index, head, entries[index]); err != nil {
			return done, fmt.Errorf("entry %d: %w", index, err)
		}
		done.proofs += 2
	}
	return done, nil
}

// Every entry under a head, each with the hash that the tree has for it.
func (l *log) leaves(head tlog.Tree) ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); n*width < head.N; n++ {
		tile := tlog.Tile{H: height, L: 0, N: n, W: int(min(width, head.N-n*width))}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
		bundle, err := l.get("/" + path)
		if err != nil {
			return nil, err
		}
		for len(bundle) >= 2 {
			length := int(binary.BigEndian.Uint16(bundle))
			if len(bundle) < 2+length {
				break
			}
			entries = append(entries, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 || int64(len(entries)) != n*width+int64(tile.W) {
			return nil, fmt.Errorf("%s is torn", path)
		}
	}
	var indices []int64
	for i := range entries {
		indices = append(indices, tlog.StoredHashIndex(0, int64(i)))
	}
	hashes, err := tlog.TileHashReader(head, tiles{l}).ReadHashes(indices)
	if err != nil {
		return nil, err
	}
	for i, entry := range entries {
		if tlog.RecordHash(entry) != hashes[i] {
			return nil, fmt.Errorf("entry %d of the bundle is not in the tree", i)
		}
	}
	return entries, nil
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

// Some indices below a size: the ends, and those around the borders of tiles.
func sample(size int64) []int64 {
	var some []int64
	for _, index := range []int64{0, 1, 2, 100, 254, 255, 256, 257, 400, 511, 512, size/2 + 300, size - 1} {
		if index < size {
			some = append(some, index)
		}
	}
	return some
}

// An earlier tree: its tiles, entries in it, and that the present one begins with it.
func (l *log) checkTree(old, head tlog.Tree, entries [][]byte, done *tally) error {
	reader := tlog.TileHashReader(old, tiles{l})
	root, err := tlog.TreeHash(old.N, reader)
	if err != nil || root != old.Hash {
		return fmt.Errorf("the tiles give another root: %v", err)
	}
	done.trees++
	for _, index := range sample(old.N) {
		proof, err := tlog.ProveRecord(old.N, index, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, old.N, old.Hash, index, tlog.RecordHash(entries[index])); err != nil {
			return err
		}
		done.inclusions++
	}
	proof, err := tlog.ProveTree(head.N, old.N, tlog.TileHashReader(head, tiles{l}))
	if err != nil {
		return err
	}
	done.steps++
	return tlog.CheckTree(proof, head.N, head.Hash, old.N, old.Hash)
}

// An entry as the API shows it, and both of its proofs.
func (l *log) checkEntry(index int64, head tlog.Tree, want []byte) error {
	var shown struct {
		Envelope  string
		LeafHash  string `json:"leaf_hash"`
		Inclusion struct {
			Checkpoint string
			Hashes     []string
		}
	}
	body, err := l.get(fmt.Sprintf("/v1/entries/%d", index))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, &shown); err != nil {
		return err
	}
	leaf := tlog.RecordHash([]byte(shown.Envelope))
	if shown.Envelope != string(want) || shown.LeafHash != hex.EncodeToString(leaf[:]) {
		return fmt.Errorf("the API shows another entry than the bundle")
	}
	if err := l.checkProof(index, shown.Inclusion.Hashes, []byte(shown.Inclusion.Checkpoint), leaf); err != nil {
		return err
	}
	file, err := l.get(fmt.Sprintf("/v1/entries/%d/proof", index))
	if err != nil {
		return err
	}
	hashes, checkpoint, err := parseProof(index, file)
	if err != nil {
		return err
	}
	return l.checkProof(index, hashes, checkpoint, leaf)
}

// c2sp.org/tlog-proof@v1
func parseProof(index int64, file []byte) ([]string, []byte, error) {
	head, checkpoint, found := bytes.Cut(file, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
		return nil, nil, fmt.Errorf("no proof of entry %d: %q", index, head)
	}
	return lines[2:], checkpoint, nil
}

func (l *log) checkProof(index int64, hashes []string, checkpoint []byte, leaf tlog.Hash) error {
	tree, err := l.open(checkpoint)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, text := range hashes {
		h, err := hash(text)
		if err != nil {
			return err
		}
		proof = append(proof, h)
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf)
}
