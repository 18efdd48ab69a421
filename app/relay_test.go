package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/control"
)

func TestARelayShowsWhatItPassedOn(t *testing.T) {
	t.Parallel()
	owner, ana, bo := stranger(t, "Relay"), newPerson(t, "Ana"), newPerson(t, "Bo")
	relay := start(t, owner.command("relay", "--json", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1", "--metrics", "127.0.0.1:0", "--month", "100"))
	var ready struct {
		Type, Metrics string
		Addrs         []string
	}
	must(t, json.Unmarshal([]byte(relay.line(t)), &ready))
	if ready.Type != "ready" || len(ready.Addrs) != 1 || !strings.Contains(ready.Addrs[0], "/p2p/") {
		t.Fatalf("the first line is %+v", ready)
	}
	ana.wake("--relay", ready.Addrs[0])
	bo.wake("--relay", ready.Addrs[0])
	befriend(ana, bo)
	ana.ok("route", "Bo", "relay")
	eventually(t, "they meet through the relay", func() bool {
		c, err := ana.api().Contact(t.Context(), bo.id)
		return err == nil && c.Presence == control.Online && strings.HasPrefix(c.Path, "relay:")
	})
	ana.send(bo, strings.Repeat("through the relay ", 1000))
	read := func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ready.Metrics+"/metrics", nil)
		must(t, err)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		must(t, err)
		return string(b)
	}
	text := read()
	for _, want := range []string{"entrenous_relay_circuits 1\n", "entrenous_relay_reservations 2\n", "entrenous_relay_month_limit_bytes 104857600\n", "entrenous_relay_week_bytes{peer=\"12D3Koo"} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %q:\n%s", want, text)
		}
	}
	if a := owner.try("", "relay", "--metrics", "0.0.0.0:9464", "--profile", t.TempDir(), "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"); a.code != 2 {
		t.Errorf("metrics for everybody: exit code %d, %s", a.code, a.err)
	}
}

func TestARelayIsToldWhichAddressIsNone(t *testing.T) {
	t.Parallel()
	p := newPerson(t, "Ana")
	for _, flag := range []string{"--listen", "--bootstrap"} {
		if f := p.fails(2, "relay", flag, "foo"); !strings.Contains(f.Message, flag+" foo") || f.Hint == "" {
			t.Errorf("%s: %+v", flag, f)
		}
	}
}
