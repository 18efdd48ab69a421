package voice_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/entrenous/entrenous/media/device"
	"github.com/entrenous/entrenous/media/voice"
)

// peerConfig is what a process of the harness is told.
type peerConfig struct {
	Listen, Dial int // UDP ports on loopback
	Spec         string
	Seconds      float64
	LAN          bool
	Headphones   bool
	Clean        bool // noise suppression and gain control as well
	Low          bool
	Echo         bool // the second peer hears its own loudspeaker
	Loss         float64
}

// peerReport is what it says at the end.
type peerReport struct {
	CPU   float64 // percent of a core
	RSS   float64 // MiB
	Stats voice.Stats
}

// TestAPeerOfTheHarness is one side of a call, started by the harness.
func TestAPeerOfTheHarness(t *testing.T) {
	var c peerConfig
	if json.Unmarshal([]byte(os.Getenv("ENTRENOUS_VOICE_PEER")), &c) != nil {
		t.Skip("started by the harness only")
	}
	conn, err := net.DialUDP("udp4", loopback(c.Listen), loopback(c.Dial))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	spec, err := device.ParseSpec(c.Spec)
	if err != nil {
		t.Fatal(err)
	}
	spec.LowLatency = c.Low
	mic, speaker, err := spec.Open()
	if err != nil {
		t.Fatal(err)
	}
	e, err := voice.New(voice.Config{
		Mic: mic, Speaker: speaker, Send: sendOver(conn, c.Loss), SSRC: uint32(c.Listen),
		PayloadType: opusType, REDPayloadType: redType,
		Headphones: c.Headphones, LowLatency: c.Low, NoiseSuppression: c.Clean, GainControl: c.Clean,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(c.Seconds*float64(time.Second)))
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { receiveFrom(conn, e) })
	wg.Go(func() { adapt(ctx, e, c) })
	before := cpu(t)
	began := time.Now()
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	r := peerReport{CPU: 100 * (cpu(t) - before).Seconds() / time.Since(began).Seconds(), RSS: rss(), Stats: e.Stats()}
	_ = conn.Close()
	wg.Wait()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("REPORT %s\n", line)
}

func sendOver(conn net.Conn, loss float64) func(*rtp.Packet) error {
	rng := rand.New(rand.NewPCG(1, 1))
	return func(p *rtp.Packet) error {
		if rng.Float64() < loss {
			return nil
		}
		raw, err := p.Marshal()
		if err != nil {
			return err
		}
		_, _ = conn.Write(raw) // refused until the other side listens
		return nil
	}
}

func receiveFrom(conn *net.UDPConn, e *voice.Engine) {
	buf := make([]byte, 1500)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			if strings.Contains(err.Error(), "refused") {
				continue
			}
			return
		}
		var p rtp.Packet
		if p.Unmarshal(buf[:n]) == nil {
			e.Receive(&p, time.Now())
		}
	}
}

// adapt tells the engine each second what RTCP would.
func adapt(ctx context.Context, e *voice.Engine, c peerConfig) {
	for ctx.Err() == nil {
		e.Network(c.Loss, map[bool]time.Duration{true: time.Millisecond, false: 100 * time.Millisecond}[c.LAN], c.LAN)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func loopback(port int) *net.UDPAddr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

func freePorts(t *testing.T) (ports [2]int) {
	t.Helper()
	for i := range ports {
		c, err := net.ListenUDP("udp4", loopback(0))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ports[i] = c.LocalAddr().(*net.UDPAddr).Port
	}
	return ports
}

func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rss is the resident memory in MiB.
func rss() float64 {
	raw, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(raw))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return float64(pages*os.Getpagesize()) / (1 << 20)
}
