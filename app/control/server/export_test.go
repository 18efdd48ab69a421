package server

import "net/http"

// Handle registers a verb of a test's own.
func (s *Server) Handle(pattern string, f func(*http.Request) (any, error)) { s.handle(pattern, f) }
