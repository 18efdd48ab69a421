package rtc

// Tries counts where ICE believes that the other end may be reached.
func (l *Leg) Tries() (int, error) {
	all, err := l.agent.GetRemoteCandidates()
	return len(all), err
}
