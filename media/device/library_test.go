//go:build cgo

package device

import "testing"

func TestPartsOfALSAAreNoDevices(t *testing.T) {
	for id, plugin := range map[string]bool{
		"null": true, "lavrate": true, "speex": true, "pulse": true, "vdownmix": true,
		"default": false, "sysdefault": false, "hw:CARD=PCH": false, "0x68773a302c30": false, "": false,
	} {
		if isPlugin(id) != plugin {
			t.Errorf("%q is a plugin: %v", id, !plugin)
		}
	}
}
