package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// Of each pixel of a canvas.Rectangle Fyne works out whether it is part of a
// border or of a shadow. Where no graphics card helps that costs several times
// as much as all else in a frame, so that what covers much of the window is
// drawn by programs of ours that do only what is needed.
const (
	onDesktops = "#version 110\n"
	onOthers   = "#version 100\n" + `
#ifdef GL_FRAGMENT_PRECISION_HIGH
precision highp float;
#else
precision mediump float;
#endif
`
	// beyond is how far a pixel is outside, to the side and upwards.
	beyond = `
uniform vec2 frame;
uniform vec4 bounds;
uniform float red, green, blue, alpha;
vec2 beyond() {
	vec2 middle = vec2(bounds.x + bounds.z, 2.0 * frame.y - bounds.y - bounds.w) * 0.5;
	return abs(gl_FragCoord.xy - middle) - (bounds.zw - bounds.xy) * 0.5;
}
`
	// planeProgram leaves out what Fyne draws around the bounds.
	planeProgram = beyond + `
void main() {
	vec2 out_ = beyond();
	gl_FragColor = vec4(red, green, blue, max(out_.x, out_.y) < 0.0 ? alpha : 0.0);
}
`
	// slabProgram compares squares, as a root of each pixel is dear: near a
	// circle of radius r, (r² - d²) / 2r is as good as r - d.
	slabProgram = beyond + `
uniform float wide, corner, edgeRed, edgeGreen, edgeBlue, edgeAlpha;
void main() {
	vec2 size = bounds.zw - bounds.xy;
	float scale = size.x / wide;
	float radius = clamp(corner * scale, 0.5, 0.5 * min(size.x, size.y));
	float inner = max(radius - floor(scale + 0.5), 0.5);
	vec2 out_ = max(beyond() + radius, 0.0);
	float far = dot(out_, out_);
	float within = clamp((radius * radius - far) / (2.0 * radius) + 0.5, 0.0, 1.0);
	float edge = clamp((far - inner * inner) / (2.0 * inner) + 0.5, 0.0, 1.0);
	vec4 colour = mix(vec4(red, green, blue, alpha), vec4(edgeRed, edgeGreen, edgeBlue, edgeAlpha), edge);
	gl_FragColor = vec4(colour.rgb, colour.a * within);
}
`
)

// newSurface makes something drawn by a program of ours.
func newSurface(name, program string) *canvas.Shader {
	s := canvas.NewShader(name, []byte(onDesktops+program), []byte(onOthers+program))
	s.Uniforms = make(map[string]float32)
	return s
}

// A plane is a plain surface.
type plane struct {
	*canvas.Shader
	color color.Color
}

func newPlane() *plane {
	p := &plane{Shader: newSurface("plane", planeProgram)}
	p.paint(color.Transparent)
	return p
}

// paint gives it another colour.
func (p *plane) paint(c color.Color) {
	if p.color != c {
		p.color = c
		tint(p.Shader, c, "red", "green", "blue", "alpha")
	}
}

// A slab is a surface with round corners and, if it is to have one, a border of
// a pixel. One that is transparent is not drawn.
type slab struct {
	*canvas.Shader
	surface, border color.Color
}

// newSlab makes a slab with corners of a radius.
func newSlab(radius float32) *slab {
	s := &slab{Shader: newSurface("slab", slabProgram)}
	s.Uniforms["corner"] = radius
	s.paint(color.Transparent, color.Transparent)
	return s
}

// paint gives the surface a colour, and a border unless that is transparent.
func (s *slab) paint(surface, border color.Color) {
	if s.surface == surface && s.border == border {
		return
	}
	s.surface, s.border = surface, border
	if border == color.Transparent {
		border = surface
	}
	s.Hidden = surface == color.Transparent && border == color.Transparent
	tint(s.Shader, surface, "red", "green", "blue", "alpha")
	tint(s.Shader, border, "edgeRed", "edgeGreen", "edgeBlue", "edgeAlpha")
}

// Resize is for Fyne.
func (s *slab) Resize(size fyne.Size) {
	s.Uniforms["wide"] = size.Width
	s.Shader.Resize(size)
}

// place puts the slab somewhere.
func (s *slab) place(at fyne.Position, size fyne.Size) {
	s.Move(at)
	s.Resize(size)
}

// tint gives a colour to a program by the names of its parts.
func tint(s *canvas.Shader, c color.Color, red, green, blue, alpha string) {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	s.Uniforms[red], s.Uniforms[green] = float32(n.R)/255, float32(n.G)/255
	s.Uniforms[blue], s.Uniforms[alpha] = float32(n.B)/255, float32(n.A)/255
	s.Refresh()
}
