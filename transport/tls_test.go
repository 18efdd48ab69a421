package transport

import (
	"crypto/rand"
	"crypto/x509"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
)

// certified is the certificate of a new key.
func certified(t *testing.T, cert libp2ptls.IdentityOption) *x509.Certificate {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := libp2ptls.NewIdentity(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	config, _ := identity.ConfigForPeer("")
	own, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func TestTheSecondIdentityOfAHostIsBelievedToo(t *testing.T) {
	cert, err := timeless()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a relay dials back under a key of its own
		certified(t, cert)
	}
}

func TestACertificateIsBelievedWhateverTheClockSays(t *testing.T) {
	cert, err := timeless()
	if err != nil {
		t.Fatal(err)
	}
	own := certified(t, cert)
	if _, err := libp2ptls.PubKeyFromCertChain([]*x509.Certificate{own}); err != nil {
		t.Errorf("now: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(own)
	own.UnhandledCriticalExtensions = nil // libp2p's own, looked at above
	for _, years := range []int{-30, -1, 1, 200} {
		at := time.Now().AddDate(years, 0, 0)
		if _, err := own.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at}); err != nil {
			t.Errorf("%d years off: %v", years, err)
		}
	}
}
