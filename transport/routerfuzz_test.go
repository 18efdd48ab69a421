package transport

import (
	"net/netip"
	"testing"
	"time"
)

func FuzzPCPAnswer(f *testing.F) {
	p := &pcp{r: router{self: netip.MustParseAddr("10.0.0.2")}, nonce: [12]byte{7}}
	q := p.question(door{udp: true, port: 4001}, time.Hour)
	yes := append([]byte{}, q...)
	yes[1], yes[3] = pcpMap|0x80, 0
	f.Add(yes)
	f.Add([]byte{0, 0x81, 0, 1, 0, 0, 0, 9}) // a router of NAT-PMP only
	f.Add(append([]byte{2, 0x81, 0, 2}, yes[4:]...))
	f.Add(append(append([]byte{}, yes...), 1, 0, 0, 0)) // an option follows
	f.Fuzz(func(t *testing.T, b []byte) {
		if readPCP(q, b) != nil {
			return
		}
		at, life, err := pcpMapped(b)
		if err != nil || life < 0 || !at.Addr().IsValid() || [12]byte(b[pcpHeader:]) != p.nonce {
			t.Fatalf("%v for %v, %v", at, life, err)
		}
	})
}

func FuzzNATPMPAnswer(f *testing.F) {
	d := door{port: 4001}
	q := pmpQuestion(d, time.Hour)
	f.Add([]byte{0, 130, 0, 0, 0, 0, 0, 1, 0x0f, 0xa1, 0x0f, 0xa1, 0, 0, 14, 16})
	f.Add([]byte{0, 128, 0, 0, 0, 0, 0, 1, 8, 1, 2, 3})
	f.Add([]byte{0, 130, 0, 2, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if readPMP(q, b) != nil {
			return
		}
		_, _ = pmpOutside(b)
		if _, life, err := pmpMapped(b, d); err == nil && (life < 0 || len(b) < 16) {
			t.Fatalf("open for %v by %d bytes", life, len(b))
		}
	})
}

func FuzzUPnPAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nLocation: http://10.0.0.1:5000/rootDesc.xml\r\n\r\n"))
	f.Add([]byte(`<root><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>` +
		`<controlURL>/ctl/IPConn</controlURL></service></serviceList></device></root>`))
	f.Add([]byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><errorCode>718</errorCode></s:Fault></s:Body></s:Envelope>`))
	f.Add([]byte("<a><a><a>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if at, err := readSSDP(b); err == nil && at.Scheme != "http" {
			t.Fatalf("it leads to %v", at)
		}
		_, _, _ = readDescription(b, portServices())
		if s := inXML(b, "errorCode"); len(s) > len(b) {
			t.Fatalf("%q from %d bytes", s, len(b))
		}
	})
}
