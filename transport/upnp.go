package transport

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	ssdpGroup  = "239.255.255.250:1900" // UPnP Device Architecture 1.1 §1.3
	ssdpWait   = 2 * time.Second
	ssdpAnswer = 2 << 10
	upnpWait   = 5 * time.Second
	maxUPnP    = 128 << 10 // bytes of what a router says by HTTP
	upnpTries  = 4         // ports, where somebody else has them
)

// Errors of AddPortMapping (WANIPConnection:1 §2.4.16).
const (
	upnpConflict      = 718 // somebody else has that port
	upnpOnlyPermanent = 725 // the router knows no end of a mapping
)

// upnp asks a router for ports by UPnP (Internet Gateway Device). It speaks to
// the router of the default route alone: whoever else on the network calls
// itself one is not listened to.
type upnp struct {
	r       router
	control string // where its service is asked
	service string // what kind it is
	http    *http.Client
	ports   map[door]uint16 // which of the router's lead to ours
}

// findUPnP looks for the service of the router that opens ports.
func findUPnP(ctx context.Context, r router) (*upnp, error) {
	service, control, err := r.serviceUPnP(ctx, portServices())
	if err != nil {
		return nil, err
	}
	return &upnp{r: r, control: control.String(), service: service, http: speaker(r.self), ports: map[door]uint16{}}, nil
}

// serviceUPnP finds a service of one of some kinds of the router, and where it is
// asked.
func (r router) serviceUPnP(ctx context.Context, kinds []string) (service string, control *url.URL, err error) {
	at, err := r.searchUPnP(ctx)
	if err != nil {
		return "", nil, err
	}
	u := &upnp{http: speaker(r.self)}
	text, err := u.fetch(ctx, http.MethodGet, at.String(), nil, "")
	if err != nil {
		return "", nil, fmt.Errorf("ask the router what it is: %w", err)
	}
	service, path, err := readDescription(text, kinds)
	if err != nil {
		return "", nil, err
	}
	control, err = at.Parse(path)
	if err != nil || control.Scheme != "http" || !r.hosts(control) {
		return "", nil, errors.New("the router names an address that is not its own")
	}
	return service, control, nil
}

// speaker asks a router by HTTP from one of our addresses.
func speaker(self netip.Addr) *http.Client {
	from := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(self, 0))}
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: from.DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// searchUPnP asks the network who is its router, and gives where that describes
// itself.
func (r router) searchUPnP(ctx context.Context) (*url.URL, error) {
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, "udp4", netip.AddrPortFrom(r.self, 0).String())
	if err != nil {
		return nil, fmt.Errorf("ask who is the router: %w", err)
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })
	defer stop()
	if err := c.SetReadDeadline(time.Now().Add(ssdpWait)); err != nil {
		return nil, fmt.Errorf("ask who is the router: %w", err)
	}
	group, own := netip.MustParseAddrPort(ssdpGroup), netip.AddrPortFrom(r.at.Addr(), 1900)
	for _, to := range []netip.AddrPort{group, own, group} { // what is sent to a group is easily lost
		if _, err := c.WriteTo([]byte(ssdpQuestion), net.UDPAddrFromAddrPort(to)); err != nil {
			return nil, fmt.Errorf("ask who is the router: %w", err)
		}
	}
	b := make([]byte, ssdpAnswer)
	for {
		n, _, err := c.ReadFrom(b)
		if err != nil {
			return nil, fmt.Errorf("%w by UPnP", errNoGateway)
		}
		if at, err := readSSDP(b[:n]); err == nil && r.hosts(at) {
			return at, nil
		}
	}
}

const ssdpQuestion = "M-SEARCH * HTTP/1.1\r\nHOST: " + ssdpGroup + "\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n" +
	"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"

// readSSDP reads where somebody who answered describes itself.
func readSSDP(b []byte) (*url.URL, error) {
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		return nil, fmt.Errorf("read who answers: %w", err)
	}
	defer resp.Body.Close()
	at, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || at.Scheme != "http" {
		return nil, errors.New("read who answers: it says not where")
	}
	return at, nil
}

// hosts says whether an address is the router's own.
func (r router) hosts(at *url.URL) bool {
	ip, err := netip.ParseAddr(at.Hostname())
	return err == nil && ip == r.at.Addr()
}

const upnpKind = "urn:schemas-upnp-org:service:"

// portServices are those that open ports.
func portServices() []string {
	return []string{upnpKind + "WANIPConnection:2", upnpKind + "WANIPConnection:1", upnpKind + "WANPPPConnection:1"}
}

// readDescription finds a service of one of some kinds in a router's description
// of itself.
func readDescription(text []byte, kinds []string) (service, control string, err error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		t, err := d.Token()
		if err != nil {
			return "", "", fmt.Errorf("%w by UPnP for this", errNoGateway)
		}
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "service" {
			continue
		}
		var s struct {
			Kind    string `xml:"serviceType"`
			Control string `xml:"controlURL"`
		}
		if err := d.DecodeElement(&s, &e); err != nil {
			return "", "", fmt.Errorf("read what the router is: %w", err)
		}
		if slices.Contains(kinds, s.Kind) {
			return s.Kind, s.Control, nil
		}
	}
}

// open implements way.
func (u *upnp) open(ctx context.Context, d door, life time.Duration) (netip.AddrPort, time.Duration, error) {
	if life == 0 {
		_, err := u.act(ctx, "DeletePortMapping", [][2]string{{"NewRemoteHost", ""}, {"NewExternalPort", decimal(u.ports[d])}, {"NewProtocol", d.upnp()}})
		return netip.AddrPort{}, 0, err
	}
	text, err := u.act(ctx, "GetExternalIPAddress", nil)
	if err != nil {
		return netip.AddrPort{}, 0, err
	}
	outside, err := netip.ParseAddr(inXML(text, "NewExternalIPAddress"))
	if err != nil {
		return netip.AddrPort{}, 0, fmt.Errorf("the router does not know its address: %w", err)
	}
	port := u.ports[d]
	if port == 0 {
		port = d.port
	}
	for range upnpTries {
		var wrong *upnpError
		err = u.add(ctx, d, port, life)
		if errors.As(err, &wrong) && wrong.code == upnpOnlyPermanent {
			err = u.add(ctx, d, port, 0)
		}
		if !errors.As(err, &wrong) || wrong.code != upnpConflict {
			break
		}
		port = uint16(20_000 + rand.IntN(40_000))
	}
	if err != nil {
		return netip.AddrPort{}, 0, err
	}
	u.ports[d] = port
	return netip.AddrPortFrom(outside, port), life, nil
}

func (u *upnp) add(ctx context.Context, d door, port uint16, life time.Duration) error {
	_, err := u.act(ctx, "AddPortMapping", [][2]string{
		{"NewRemoteHost", ""},
		{"NewExternalPort", decimal(port)},
		{"NewProtocol", d.upnp()},
		{"NewInternalPort", decimal(d.port)},
		{"NewInternalClient", u.r.self.String()},
		{"NewEnabled", "1"},
		{"NewPortMappingDescription", "entrenous"},
		{"NewLeaseDuration", strconv.Itoa(int(life / time.Second))},
	})
	return err
}

func decimal(n uint16) string { return strconv.Itoa(int(n)) }

func (d door) upnp() string {
	if d.udp {
		return "UDP"
	}
	return "TCP"
}

// upnpError is a router's no.
type upnpError struct{ code int }

func (e *upnpError) Error() string { return fmt.Sprintf("%v (UPnP %d)", errRefused, e.code) }
func (e *upnpError) Unwrap() error { return errRefused }

// act has the router do something (UPnP Device Architecture 1.1 §3.1.1), and
// gives what it answers.
func (u *upnp) act(ctx context.Context, action string, args [][2]string) ([]byte, error) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ` +
		`s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:` + action + ` xmlns:u="` + u.service + `">`)
	for _, a := range args {
		b.WriteString("<" + a[0] + ">" + a[1] + "</" + a[0] + ">")
	}
	b.WriteString(`</u:` + action + `></s:Body></s:Envelope>`)
	text, err := u.fetch(ctx, http.MethodPost, u.control, strings.NewReader(b.String()), u.service+"#"+action)
	if err == nil {
		return text, nil
	}
	if code, no := strconv.Atoi(inXML(text, "errorCode")); no == nil {
		return nil, &upnpError{code}
	}
	return nil, fmt.Errorf("ask the router to %s: %w", action, err)
}

// fetch asks the router by HTTP. With an error it gives what the router said
// as well, if anything.
func (u *upnp) fetch(ctx context.Context, method, at string, body io.Reader, action string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, upnpWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, fmt.Errorf("compose a question: %w", err)
	}
	if action != "" {
		req.Header.Set("Content-Type", `text/xml; charset="utf-8"`)
		req.Header["SOAPAction"] = []string{`"` + action + `"`} // as the specification spells it
	}
	resp, err := u.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoGateway, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxUPnP))
	if err != nil {
		return nil, fmt.Errorf("hear the router: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return text, fmt.Errorf("the router answers %s", resp.Status)
	}
	return text, nil
}

// inXML gives the text of the first element of a name, nothing where there is
// none.
func inXML(text []byte, name string) string {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == name {
			var s string
			if d.DecodeElement(&s, &e) != nil {
				return ""
			}
			return strings.TrimSpace(s)
		}
	}
}
