package permit

import (
	"io"
	"time"
)

// Limits of attachments. A side is the organisation that has filed, the officers, or the
// answers of one agency: each has its own, so that none learns how much others attach.
const (
	MaxAttachmentBytes     = 20 << 20  // of one file
	MaxAttachments         = 50        // of a side of a proposal
	MaxAttachedBytes       = 200 << 20 // of a side of a proposal
	MaxOrganisationBytes   = 2 << 30   // that an organisation has attached to those open proposals that who attaches sees
	MaxAttachmentNameRunes = 200

	maxAttachmentNameBytes   = 240   // what file systems take, with room for a number
	maxArchiveEntries        = 10000 // of an archive that is looked at
	attachmentSniffedAtFirst = 512   // bytes by which a kind is known
)

// Attachment is a file of a proposal, or of an agency's answer in it. It never changes.
type Attachment struct {
	ID           int64     `json:"id"`
	Name         string    `json:"name"`
	MediaType    string    `json:"media_type"`
	Bytes        int64     `json:"bytes"`
	SHA256       string    `json:"sha256"` // hexadecimal
	Party        Party     `json:"party"`  // as whom it was attached
	Organisation *string   `json:"organisation"`
	Agency       *string   `json:"agency"` // to whose answer it belongs; null for the proposal
	Who          *string   `json:"who"`    // null for who is of another organisation, unless the viewer is staff
	At           time.Time `json:"at"`
	Revision     int64     `json:"revision"` // of the proposal since then
}

// NewAttachment is a file to be attached.
type NewAttachment struct {
	Name      string // by CheckAttachmentName
	MediaType string // by MediaTypeOf
	Bytes     int64
	SHA256    []byte
	Agency    string // whose answer it belongs to, of an officer who records that; "" for none
	Content   io.Reader
}
