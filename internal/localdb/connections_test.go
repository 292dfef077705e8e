package localdb

import "testing"

// However many cores there are, two servers have their lanes (2 × cores + 2 connections each,
// 8 at least), and others are left for their listeners, for commands and for the owner.
func TestConnectionsForTwoServers(t *testing.T) {
	const beside = 20
	for cores := 1; cores <= 256; cores++ {
		if need := 2*max(8, 2*cores+2) + beside; connections(cores) < need {
			t.Errorf("%d cores: %d connections, and %d are needed", cores, connections(cores), need)
		}
	}
}
