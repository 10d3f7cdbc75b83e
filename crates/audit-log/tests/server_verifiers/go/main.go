// Checks a log folder with golang.org/x/mod/sumdb alone: the signature of the checkpoint, every tile against the root,
// every entry against its tile, and the proofs that lie beside the log.
//
//	verify DIR
//
// Prints the size of a log that is sound; otherwise `unsound: …` on standard error, and exits with 1.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height, width = 8, 256

func main() {
	tree, err := verify(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "unsound:", err)
		os.Exit(1)
	}
	fmt.Println(tree.N)
}

func verify(dir string) (tlog.Tree, error) {
	vkey, err := os.ReadFile(filepath.Join(dir, "vkey"))
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(string(vkey))
	if err != nil {
		return tlog.Tree{}, err
	}
	checkpoint, err := os.ReadFile(filepath.Join(dir, "log/checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := open(checkpoint, verifier)
	if err != nil {
		return tree, err
	}
	reader := tlog.TileHashReader(tree, folder(filepath.Join(dir, "log")))
	entries, err := readEntries(filepath.Join(dir, "log"), tree.N, reader)
	if err != nil {
		return tree, err
	}
	if err := checkInclusion(dir, entries, verifier); err != nil {
		return tree, err
	}
	return tree, checkConsistency(dir, tree, reader)
}

// The tree of a checkpoint that the log has signed.
func open(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, errors.New("no checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// Tiles in a folder: tlog-tiles has the paths of x/mod without the height, and calls data entries.
type folder string

func (dir folder) Height() int                     { return height }
func (dir folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (dir folder) read(tile tlog.Tile) ([]byte, error) {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	path = strings.Replace(path, "data/", "entries/", 1)
	return os.ReadFile(filepath.Join(string(dir), "tile", path))
}

func (dir folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		data, err := dir.read(tile)
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

// All entries, each of which has the hash that the tiles have.
func readEntries(dir string, size int64, reader tlog.HashReader) ([][]byte, error) {
	var entries [][]byte
	for first := int64(0); first < size; first += width {
		tile := tlog.Tile{H: height, L: -1, N: first / width, W: width}
		if size-first < width {
			tile.W = int(size - first)
		}
		bundle, err := folder(dir).read(tile)
		if err != nil {
			return nil, err
		}
		var indexes []int64
		for n := first; n < first+int64(tile.W); n++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, n))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return nil, err
		}
		for _, hash := range hashes {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, errors.New("a bundle ends early")
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2:end]
			if tlog.RecordHash(entry) != hash {
				return nil, fmt.Errorf("entry %d is another", len(entries))
			}
			entries, bundle = append(entries, entry), bundle[end:]
		}
		if len(bundle) != 0 {
			return nil, errors.New("a bundle goes on behind its entries")
		}
	}
	return entries, nil
}

// Each `.tlog-proof` proves the entry that it is named after.
func checkInclusion(dir string, entries [][]byte, verifier note.Verifier) error {
	return each(dir, "proofs", func(name string, text string) error {
		head, checkpoint, found := strings.Cut(text, "\n\n")
		lines := strings.Split(head, "\n")
		name = strings.TrimSuffix(name, ".tlog-proof")
		if !found || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != "index "+name {
			return errors.New("no proof")
		}
		index, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			return err
		}
		tree, err := open([]byte(checkpoint), verifier)
		if err != nil {
			return err
		}
		hashes, err := parseHashes(lines[2:])
		if err != nil {
			return err
		}
		hash := tlog.RecordHash(entries[index])
		return tlog.CheckRecord(tlog.RecordProof(hashes), tree.N, tree.Hash, index, hash)
	})
}

// Each file is named after an earlier size, and has the root of that tree and the proof that it only grew.
func checkConsistency(dir string, tree tlog.Tree, reader tlog.HashReader) error {
	return each(dir, "consistency", func(name string, text string) error {
		old, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			return err
		}
		hashes, err := parseHashes(strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
		if err != nil {
			return err
		}
		root, err := tlog.TreeHash(old, reader)
		if err != nil {
			return err
		}
		if root != hashes[0] {
			return errors.New("the earlier root is another")
		}
		return tlog.CheckTree(tlog.TreeProof(hashes[1:]), tree.N, tree.Hash, old, root)
	})
}

func each(dir, kind string, check func(name string, text string) error) error {
	files, err := os.ReadDir(filepath.Join(dir, kind))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, kind, file.Name()))
		if err != nil {
			return err
		}
		if err := check(file.Name(), string(text)); err != nil {
			return fmt.Errorf("%s/%s: %w", kind, file.Name(), err)
		}
	}
	return nil
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		bytes, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(bytes) != tlog.HashSize {
			return nil, errors.New("no hash")
		}
		hashes = append(hashes, tlog.Hash(*(*[tlog.HashSize]byte)(bytes)))
	}
	return hashes, nil
}
