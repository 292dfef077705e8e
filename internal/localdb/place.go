package localdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	markerFile  = "HATANG"  // says that a folder is ours
	pointerFile = "cluster" // in a folder whose cluster lies elsewhere: where
	markerText  = "This folder is Hatang's private database. Do not edit or move single files of it.\n"
	// sharedHomes is where clusters lie whose own folder is closed to the server's user.
	sharedHomes = "/var/lib/hatang"
	// serverUser runs PostgreSQL when hatang itself runs as root.
	serverUser = "postgres"
)

// place is where a cluster lies and who runs it.
type place struct {
	home string
	cred *syscall.Credential // nil: the server runs as we do
	user string              // name of the operating-system user who runs the server
}

func (p place) data() string { return filepath.Join(p.home, "data") }
func (p place) conf() string { return filepath.Join(p.home, "conf") }
func (p place) logs() string { return filepath.Join(p.home, "log") }

// locate finds or makes the home of the cluster that belongs to dir.
func locate(ctx context.Context, dir string, log *slog.Logger) (place, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return place{}, fmt.Errorf("find the folder %q: %w", dir, err)
	}
	if err := makeClosed(abs); err != nil {
		return place{}, err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return place{}, fmt.Errorf("find the database folder: %w", err)
	}
	if err := claim(abs); err != nil {
		return place{}, err
	}
	home, err := homeOf(ctx, abs, log)
	if err != nil {
		return place{}, err
	}
	if home != abs {
		if err := os.Chmod(abs, 0o700); err != nil {
			return place{}, fmt.Errorf("close the database folder to others: %w", err)
		}
	}
	return settle(home)
}

// makeClosed makes a folder for us alone, and the folders above it as they usually are.
func makeClosed(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("make the folder above the database folder: %w", noSpace(err))
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return fmt.Errorf("make the database folder: %w", noSpace(err))
	}
	return nil
}

// claim makes sure that dir is ours: it bears our mark, or it is empty and gets it.
// The mark is the first file ever written, so two who come at once both find it in order.
func claim(dir string) error {
	mark := filepath.Join(dir, markerFile)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the database folder: %w", err)
	}
	ours := func(es []os.DirEntry) bool {
		for _, e := range es {
			if e.Name() == markerFile {
				return true
			}
		}
		return false
	}
	if ours(entries) {
		return nil
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: %s (it holds %s); choose another with --data", ErrForeign, dir, entries[0].Name())
	}
	if err := os.WriteFile(mark, []byte(markerText), 0o600); err != nil {
		return fmt.Errorf("mark the database folder: %w", noSpace(err))
	}
	return nil
}

// homeOf returns the folder that holds the cluster of dir: the one its pointer names, dir
// itself, or (as root, where the server's user cannot get to dir) a new one in sharedHomes.
func homeOf(ctx context.Context, dir string, log *slog.Logger) (string, error) {
	if home, err := followPointer(dir); err == nil || !errors.Is(err, os.ErrNotExist) {
		return home, err
	}
	if os.Geteuid() != 0 {
		return dir, nil
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		return dir, nil
	}
	cred, err := credentialOf(serverUser)
	if err != nil {
		return "", err
	}
	if canEnter(ctx, cred, filepath.Dir(dir)) {
		return dir, nil
	}
	return sharedHome(dir, log)
}

// followPointer returns the home that dir points to; os.ErrNotExist (wrapped) if it points nowhere.
func followPointer(dir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, pointerFile))
	if err != nil {
		return "", fmt.Errorf("read where the cluster lies: %w", err)
	}
	home := strings.TrimSpace(string(raw))
	if _, err := os.Stat(filepath.Join(home, markerFile)); err != nil {
		return "", fmt.Errorf("%s says that the cluster lies in %s, but it does not: %s", filepath.Join(dir, pointerFile), home, err.Error()) // not wrapped: the pointer is there
	}
	return home, nil
}

// sharedHome makes a new home in sharedHomes and points dir to it. Of two who come at once one
// makes the pointer and the other follows it. A home of an earlier, deleted dir of the same name is
// neither reused (whoever deletes the folder wants a fresh start) nor removed (the folder
// may be on a disk that is not mounted), only mentioned.
func sharedHome(dir string, log *slog.Logger) (string, error) {
	if err := os.MkdirAll(sharedHomes, 0o711); err != nil {
		return "", fmt.Errorf("make %s: %w", sharedHomes, noSpace(err))
	}
	sum := sha256.Sum256([]byte(dir))
	prefix := hex.EncodeToString(sum[:8]) + "-"
	earlier, err := filepath.Glob(filepath.Join(sharedHomes, prefix+"*"))
	if err != nil {
		return "", fmt.Errorf("look for earlier clusters: %w", err)
	}
	home, err := os.MkdirTemp(sharedHomes, prefix)
	if err != nil {
		return "", fmt.Errorf("make a folder in %s: %w", sharedHomes, noSpace(err))
	}
	if err := claim(home); err != nil {
		return "", err
	}
	pointer := filepath.Join(dir, pointerFile)
	draft := pointer + "." + filepath.Base(home)
	if err := writeFile(draft, home+"\n", 0o600, nil); err != nil {
		return "", err
	}
	// A link appears whole or not at all, and never replaces another.
	err = os.Link(draft, pointer)
	if rmErr := os.Remove(draft); rmErr != nil {
		return "", fmt.Errorf("note where the cluster lies: %w", rmErr)
	}
	if os.IsExist(err) {
		if err := os.RemoveAll(home); err != nil {
			return "", fmt.Errorf("remove a folder not needed: %w", err)
		}
		return followPointer(dir)
	}
	if err != nil {
		return "", fmt.Errorf("note where the cluster lies: %w", err)
	}
	for _, e := range earlier {
		log.Warn("a cluster of an earlier folder of the same name remains; remove it if it is not needed", "dir", dir, "cluster", e)
	}
	return home, nil
}

// canEnter asks the kernel, by trying, whether a user can get into dir.
func canEnter(ctx context.Context, cred *syscall.Credential, dir string) bool {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `cd -- "$1"`, "sh", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	return cmd.Run() == nil
}

// settle finds out who runs the server and closes home to everybody else.
func settle(home string) (place, error) {
	p := place{home: home}
	me, err := user.Current()
	if err != nil {
		return p, fmt.Errorf("find out who runs hatang: %w", err)
	}
	p.user = me.Username
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		if p.user, err = ownerOfData(home); err != nil {
			return p, err
		}
		if p.cred, err = credentialOf(p.user); err != nil {
			return p, err
		}
		if uid, err := ownerOf(home); err != nil {
			return p, err
		} else if uid == 0 {
			mode = 0o710
			if err := os.Chown(home, 0, int(p.cred.Gid)); err != nil {
				return p, fmt.Errorf("open the folder to %s: %w", p.user, err)
			}
		}
	}
	if err := os.Chmod(home, mode); err != nil {
		return p, fmt.Errorf("close the database folder to others (does it belong to another user?): %w", err)
	}
	return p, nil
}

// ownerOfData returns the user who runs the server when we are root: the owner of an
// existing data folder, otherwise the user postgres.
func ownerOfData(home string) (string, error) {
	uid, err := ownerOf(filepath.Join(home, "data"))
	if errors.Is(err, os.ErrNotExist) || err == nil && uid == 0 {
		return serverUser, nil
	}
	if err != nil {
		return "", err
	}
	u, err := user.LookupId(strconv.Itoa(int(uid)))
	if err != nil {
		return "", fmt.Errorf("the data folder belongs to an unknown user: %w", err)
	}
	return u.Username, nil
}

func ownerOf(path string) (uint32, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("%s: the file system does not tell the owner", path)
	}
	return st.Uid, nil
}

// credentialOf returns what a process needs to run as the named user.
func credentialOf(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, &MissingError{What: "the operating-system user " + name + " (PostgreSQL refuses to run as root)"}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// makeDir makes a folder of the server's user, closed to all others.
func (p place) makeDir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !os.IsExist(err) {
		return noSpace(err)
	}
	if p.cred == nil {
		return nil
	}
	return os.Lchown(path, int(p.cred.Uid), int(p.cred.Gid))
}

// writeFile puts text at path at one stroke. With a credential the file becomes readable to
// that group. Nothing is followed if path is a link.
func writeFile(path, text string, mode os.FileMode, cred *syscall.Credential) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, noSpace(err))
	}
	_, err = tmp.WriteString(text)
	err = errors.Join(err, tmp.Chmod(mode))
	if cred != nil {
		err = errors.Join(err, tmp.Chown(-1, int(cred.Gid)))
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, noSpace(err)), os.Remove(tmp.Name()))
	}
	return nil
}

// noSpace marks an error of a full disk as ErrNoSpace.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}
