package device

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/entrenous/entrenous/media"
)

// FileMic is a microphone that speaks a WAV file in real time and is silent
// afterwards, so that a call can be repeated exactly.
type FileMic struct {
	pace  *pace
	name  string
	sound []float32
}

var _ Mic = (*FileMic)(nil)

func openFileMic(path string) (*FileMic, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the file to speak: %w", err)
	}
	defer f.Close()
	sound, err := ReadWAV(f)
	if err != nil {
		return nil, fmt.Errorf("open the file to speak %s: %w", filepath.Base(path), err)
	}
	return &FileMic{pace: newPace(), name: "file " + filepath.Base(path), sound: sound}, nil
}

// Read gives the next 10 ms of the file, then silence.
func (m *FileMic) Read(tick []float32) error {
	if err := whole(tick); err != nil {
		return err
	}
	if err := m.pace.wait(); err != nil {
		return err
	}
	n := copy(tick, m.sound)
	clear(tick[n:])
	m.sound = m.sound[n:]
	return nil
}

// Latency is one tick.
func (m *FileMic) Latency() time.Duration { return media.Duration(media.Tick) }

// Name is the file's name.
func (m *FileMic) Name() string { return m.name }

// Close ends a blocked Read.
func (m *FileMic) Close() error {
	m.pace.stop()
	return nil
}

// FileSpeaker is a loudspeaker that records into a WAV file, 16-bit mono at 48
// kHz. The file is a valid one after every tick, so nothing is lost when the
// program is killed.
type FileSpeaker struct {
	pace *pace
	name string
	mu   sync.Mutex
	file *os.File
	out  *WAVWriter
}

var _ Speaker = (*FileSpeaker)(nil)

func openFileSpeaker(path string) (*FileSpeaker, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create the file to record into: %w", err)
	}
	out, err := NewWAVWriter(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("create the file to record into: %w", err)
	}
	return &FileSpeaker{pace: newPace(), name: "file " + filepath.Base(path), file: f, out: out}, nil
}

// Write appends one tick to the file.
func (s *FileSpeaker) Write(tick []float32) error {
	if err := whole(tick); err != nil {
		return err
	}
	if err := s.pace.wait(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return ErrClosed
	}
	if err := s.out.Write(tick); err != nil {
		return fmt.Errorf("record into %s: %w", s.name, err)
	}
	return nil
}

// Latency is one tick.
func (s *FileSpeaker) Latency() time.Duration { return media.Duration(media.Tick) }

// Name is the file's name.
func (s *FileSpeaker) Name() string { return s.name }

// Close ends a blocked Write and closes the file.
func (s *FileSpeaker) Close() error {
	s.pace.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
