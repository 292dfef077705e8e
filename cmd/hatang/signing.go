package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// keyFile is the file of the private key that signs verdicts: PKCS #8 in PEM. It is read for
// every signature, so that a rotated key counts at once and none stays in memory.
type keyFile string

// signer is the key file of the globals.
func (g *globals) signer() keyFile {
	if g.SigningKey != "" {
		return keyFile(g.SigningKey)
	}
	return keyFile(filepath.Join(g.Data, "signing-key.pem"))
}

// Sign implements permit.Signer.
func (f keyFile) Sign(message []byte) (key string, signature []byte, err error) {
	private, err := f.read()
	if err != nil {
		return "", nil, err
	}
	return permit.KeyID(publicOf(private)), ed25519.Sign(private, message), nil
}

func publicOf(private ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(private[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
}

// read returns the key; permit.ErrNoSigningKey where there is no file.
func (f keyFile) read() (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", f, permit.ErrNoSigningKey)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key in PEM", f)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s holds no private key: %w", f, err)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds no Ed25519 key", f)
	}
	return private, nil
}

// write puts a key into the file, for the user of the process alone, whole or not at all.
func (f keyFile) write(private ed25519.PrivateKey) (err error) {
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(string(f)), 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(string(f)), "signing-key-*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary.Name()))
		}
	}()
	err = errors.Join(pem.Encode(temporary, &pem.Block{Type: "PRIVATE KEY", Bytes: raw}), temporary.Sync(), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), string(f))
}

// ensure has a key in use where none is: the file's, or a new one. Where one is in use that
// is not the file's, it is left, and this server records nothing.
func (f keyFile) ensure(ctx context.Context, env *environment, db *database) error {
	return db.withAdmin(ctx, func(admin *postgis.Admin) error {
		private, err := f.read()
		made := errors.Is(err, permit.ErrNoSigningKey)
		if made {
			var used bool
			if used, err = admin.SigningKeyInUse(ctx); err != nil || used {
				return err
			}
			if _, private, err = ed25519.GenerateKey(rand.Reader); err == nil {
				err = f.write(private)
			}
		}
		if err != nil {
			return err
		}
		added, err := admin.AddSigningKey(ctx, publicOf(private), true, env.viewer().Name)
		if made && !added && err == nil { // another server was first
			err = os.Remove(string(f))
		}
		return err
	})
}

// rotate puts a new key in use, then in the file, and ends the others: whatever is
// interrupted leaves the file with a key that is in use.
func (f keyFile) rotate(ctx context.Context, env *environment, db *database) (id string, err error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	id = permit.KeyID(public)
	return id, db.withAdmin(ctx, func(admin *postgis.Admin) error {
		if _, err := admin.AddSigningKey(ctx, public, false, env.viewer().Name); err != nil {
			return err
		}
		if err := f.write(private); err != nil {
			return err
		}
		return admin.EndSigningKeys(ctx, id, env.viewer().Name)
	})
}
