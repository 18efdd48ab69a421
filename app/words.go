package app

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/entrenous/entrenous/assets"
)

// spokenWords are the sentences of the person's language.
func spokenWords(language string) map[string]string {
	if language == "" && strings.HasPrefix(strings.ToLower(locale()), "fr") {
		language = "fr"
	}
	if words, err := assets.Words(language); err == nil {
		return words
	}
	words, err := assets.Words("en")
	if err != nil {
		return map[string]string{}
	}
	return words
}

// inWords is the sentence of a key, with arguments in the places of {0}, {1} and so on.
func inWords(words map[string]string, key string, args ...any) string {
	s, ok := words[key]
	if !ok {
		return key
	}
	for i, a := range args {
		s = strings.ReplaceAll(s, "{"+strconv.Itoa(i)+"}", fmt.Sprint(a))
	}
	return s
}

// locale is the language of the system as the environment tells it.
func locale() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}
