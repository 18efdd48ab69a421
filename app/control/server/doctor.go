package server

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/assets"
)

// findings puts the doctor's findings into English, which commands and scripts
// read. The window has its own words for their codes.
func findings(in []node.Finding) ([]control.Finding, error) {
	words, err := assets.Words(assets.Languages()[0])
	if err != nil {
		return nil, fmt.Errorf("read the words of the doctor: %w", err)
	}
	out := make([]control.Finding, len(in))
	for i, f := range in {
		out[i] = control.Finding{
			What: f.What, State: f.State, Code: f.Code, Args: f.Args,
			Say: filled(words["doctor.say."+f.Code], f.Args), Do: filled(words["doctor.do."+f.Code], f.Args),
		}
	}
	return out, nil
}

// filled puts the arguments into a sentence.
func filled(sentence string, args []string) string {
	for i, a := range args {
		if t, err := time.Parse(time.RFC3339, a); err == nil {
			a = t.Local().Format("on 2 January 2006 at 15:04")
		}
		sentence = strings.ReplaceAll(sentence, "{"+strconv.Itoa(i)+"}", a)
	}
	return sentence
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
