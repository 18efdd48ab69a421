package device

// IsWorn is what a unit knows of a device by what its sound server says.
func IsWorn(form, port, name string) bool { return worn(form, port, name) }
