package tables

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"hatang/internal/layer"
)

// Limits of archives, so that a small file cannot become a large one.
const (
	MaxArchiveFiles  = 100       // files in an archive; a workbook may have ten times as many
	MaxArchiveBytes  = 512 << 20 // of all files together, unpacked
	MaxWorkbookBytes = 256 << 20 // of a workbook, unpacked
	MaxArchiveRatio  = 100       // of unpacked to packed bytes, where there is more than a megabyte
	maxDirectory     = 0xfffe    // bytes of the list of files at an archive's end
)

// archive is a ZIP archive whose files may be read: none leads out of it, none is a link,
// and together they are no larger than is allowed.
type archive struct {
	file  *os.File
	files []*zip.File // without folders
}

// openArchive opens an archive on disk and holds its list of files against the limits.
func openArchive(path string) (_ *archive, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	a := &archive{file: f}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkDirectory(f, info.Size()); err != nil {
		return nil, err
	}
	in, err := zip.NewReader(f, info.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, errBadArchive()
	}
	return a, a.check(in)
}

func errBadArchive() error {
	return layer.Wrong("tệp nén ZIP bị hỏng", "the ZIP archive is damaged")
}

// checkDirectory finds the record at the archive's end and refuses a list of files that is
// longer than is allowed, before the library reads it into memory. An archive with anything
// between that list and the record, or of the form for more than 4 GB, is refused, too.
func checkDirectory(in io.ReaderAt, size int64) error {
	const record, comment = 22, 0xffff
	tail := make([]byte, min(size, record+comment))
	if _, err := in.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for at := len(tail) - record; at >= 0; at-- {
		r := tail[at:]
		if string(r[:4]) != "PK\x05\x06" || record+int(binary.LittleEndian.Uint16(r[20:])) > len(r) {
			continue
		}
		length, start := int64(binary.LittleEndian.Uint32(r[12:])), int64(binary.LittleEndian.Uint32(r[16:]))
		if length > maxDirectory {
			return tooManyFiles(10 * MaxArchiveFiles)
		}
		if start+length != size-int64(len(tail))+int64(at) {
			return errBadArchive()
		}
		return nil
	}
	return errBadArchive()
}

func tooManyFiles(most int) error {
	return layer.Wrong("tệp nén có hơn %d tệp", "the archive holds more than %d files", most)
}

// check holds what the archive says of its files against the limits. What they really are
// is kept to what is said when they are read.
func (a *archive) check(in *zip.Reader) error {
	if len(in.File) > 10*MaxArchiveFiles {
		return tooManyFiles(10 * MaxArchiveFiles)
	}
	var packed, unpacked uint64
	for _, f := range in.File {
		name := cut(f.Name, 100)
		slashed := strings.ReplaceAll(f.Name, `\`, "/")
		local := strings.ToValidUTF8(strings.TrimSuffix(slashed, "/"), "\ufffd") // older programs write names otherwise
		switch mode := f.Mode(); {
		case local != "" && (!fs.ValidPath(local) || strings.Contains(local, ":")):
			return layer.Wrong("tệp nén có đường dẫn không an toàn: %q", "the archive has an unsafe path: %q", name)
		case mode&^(fs.ModePerm|fs.ModeDir|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0:
			return layer.Wrong("tệp nén có liên kết hoặc thiết bị: %q", "the archive holds a link or a device: %q", name)
		case f.Flags&1 != 0:
			return layer.Wrong("tệp nén có mật khẩu", "the archive is locked with a password")
		case strings.HasSuffix(slashed, "/"):
			continue
		}
		packed, unpacked = packed+f.CompressedSize64, unpacked+f.UncompressedSize64
		if f.UncompressedSize64 > MaxArchiveBytes || unpacked > MaxArchiveBytes {
			return tooLarge(MaxArchiveBytes)
		}
		a.files = append(a.files, f)
	}
	if unpacked > 1<<20 && unpacked/MaxArchiveRatio > packed {
		return layer.Wrong("tệp nén nở ra hơn %d lần: không đọc", "the archive unpacks to more than %d times its size: it is not read", MaxArchiveRatio)
	}
	return nil
}

func tooLarge(most int64) error {
	return layer.Wrong("tệp nén nở ra hơn %d MB", "the archive unpacks to more than %d MB", most>>20)
}

// member is a file of the archive.
func (a *archive) member(f *zip.File) file {
	return file{
		name: path.Base(strings.ReplaceAll(f.Name, `\`, "/")),
		size: int64(f.UncompressedSize64),
		open: func() (io.ReadCloser, error) {
			in, err := f.Open()
			if err != nil {
				return nil, errBadArchive()
			}
			return &unpacking{in, int64(f.UncompressedSize64)}, nil
		},
		beside: func(ending string) (file, bool, error) {
			found := a.find(func(name string) bool { return sameStem(name, f.Name, ending) })
			if found == nil {
				return file{}, false, nil
			}
			return a.member(found), true, nil
		},
	}
}

// find returns the first file with a name that fits, nil for none.
func (a *archive) find(fits func(name string) bool) *zip.File {
	for _, f := range a.files {
		if fits(f.Name) {
			return f
		}
	}
	return nil
}

// Close lets go of the archive.
func (a *archive) Close() error { return a.file.Close() }

// unpacking reads a file of an archive, and no more of it than was said.
type unpacking struct {
	in   io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (u *unpacking) Read(p []byte) (int, error) {
	n, err := u.in.Read(p[:min(int64(len(p)), u.left+1)])
	if u.left -= int64(n); u.left < 0 {
		return 0, errBadArchive()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("%w (%w)", errBadArchive(), err)
	}
	return n, err
}

// Close implements io.Closer.
func (u *unpacking) Close() error { return u.in.Close() }

// sameStem reports whether a file's name is that of another with a different ending.
func sameStem(name, other, ending string) bool {
	return strings.EqualFold(name, strings.TrimSuffix(other, path.Ext(other))+ending)
}
