package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Colours of ours beside Fyne's; accent, ink, danger, warn and good are
// Fyne's primary, foreground, error, warning and success.
const (
	colorAccent   = theme.ColorNamePrimary
	colorOnAccent = theme.ColorNameForegroundOnPrimary
	colorInk      = theme.ColorNameForeground
	colorDanger   = theme.ColorNameError
	colorOnDanger = theme.ColorNameForegroundOnError
	colorWarn     = theme.ColorNameWarning
	colorGood     = theme.ColorNameSuccess
	colorHover    = theme.ColorNameHover

	colorBack   fyne.ThemeColorName = "back"
	colorSide   fyne.ThemeColorName = "side"
	colorLine   fyne.ThemeColorName = "line"
	colorMuted  fyne.ThemeColorName = "muted"
	colorSoft   fyne.ThemeColorName = "soft"
	colorMine   fyne.ThemeColorName = "mine"
	colorTheirs fyne.ThemeColorName = "theirs"
	colorPill   fyne.ThemeColorName = "pill"
	colorScrim  fyne.ThemeColorName = "scrim" // behind a modal card
	colorRing   fyne.ThemeColorName = "ring"  // around what has the focus
	colorHit    fyne.ThemeColorName = "hit"   // behind a message jumped to
	colorWrite  fyne.ThemeColorName = "write" // behind what one writes
)

// Appearances of the settings.
const (
	appearanceLight    = "light"
	appearanceDark     = "dark"
	appearanceContrast = "contrast"
)

// A tone is one token in each of the four palettes.
type tone struct{ light, dark, contrastLight, contrastDark uint32 }

// tones are the tokens as 0xRRGGBBAA. Muted and warn are a shade stronger than
// drawn, so that small text keeps 4.5:1 on every surface it stands on.
var tones = map[fyne.ThemeColorName]tone{
	colorBack:     {0xfbfaf8ff, 0x171615ff, 0xffffffff, 0x000000ff},
	colorSide:     {0xf3f1edff, 0x1e1c1bff, 0xf4f4f2ff, 0x0d0d0dff},
	colorLine:     {0xe6e2dbff, 0x2c2a28ff, 0x6b6660ff, 0x8f8a84ff},
	colorInk:      {0x1e1c1aff, 0xedeae6ff, 0x000000ff, 0xffffffff},
	colorMuted:    {0x6a655dff, 0xaea8a0ff, 0x3d3a36ff, 0xd2cec9ff},
	colorAccent:   {0x11746aff, 0x4cc3b1ff, 0x064f46ff, 0x6fe3d1ff},
	colorOnAccent: {0xffffffff, 0x0c211eff, 0xffffffff, 0x000000ff},
	colorSoft:     {0xd9eeeaff, 0x1f3b37ff, 0xd3f0ebff, 0x12332fff},
	colorMine:     {0xdcefebff, 0x21423dff, 0xe0f5f1ff, 0x10302cff},
	colorTheirs:   {0xffffffff, 0x242220ff, 0xffffffff, 0x161616ff},
	colorPill:     {0xefece6ff, 0x2c2a28ff, 0xececeaff, 0x242424ff},
	colorDanger:   {0xb93c2aff, 0xe8705bff, 0x8f1d0eff, 0xff9d8aff},
	colorOnDanger: {0xffffffff, 0x2a0f0aff, 0xffffffff, 0x000000ff},
	colorWarn:     {0x87560fff, 0xe0a84aff, 0x5f3a00ff, 0xffcf7aff},
	colorGood:     {0x2e8b57ff, 0x5bc28bff, 0x14603aff, 0x7fe0adff},
	colorHover:    {0x1e1c1a0a, 0xffffff0c, 0x00000014, 0xffffff20},
	colorScrim:    {0x1e1c1a66, 0x00000090, 0x000000b0, 0x000000c8},
	colorRing:     {0x11746aff, 0x4cc3b1ff, 0x000000ff, 0xffffffff},
	colorHit:      {0xf6e6c4ff, 0x3a301aff, 0xfff0c4ff, 0x3d3000ff},
	colorWrite:    {0xffffffff, 0x1e1c1bff, 0xffffffff, 0x0d0d0dff},

	theme.ColorNameButton:              {0xefece6ff, 0x2c2a28ff, 0xececeaff, 0x242424ff},
	theme.ColorNameDisabled:            {0xa8a29aff, 0x6a655fff, 0x76716bff, 0x8f8a84ff},
	theme.ColorNameDisabledButton:      {0xf3f1edff, 0x242220ff, 0xececeaff, 0x242424ff},
	theme.ColorNameFocus:               {0x11746a40, 0x4cc3b150, 0x064f4680, 0x6fe3d180},
	theme.ColorNameForegroundOnSuccess: {0xffffffff, 0x0c211eff, 0xffffffff, 0x000000ff},
	theme.ColorNameForegroundOnWarning: {0xffffffff, 0x241a08ff, 0xffffffff, 0x000000ff},
	theme.ColorNameHeaderBackground:    {0xfbfaf8ff, 0x171615ff, 0xffffffff, 0x000000ff},
	theme.ColorNameHyperlink:           {0x11746aff, 0x4cc3b1ff, 0x064f46ff, 0x6fe3d1ff},
	theme.ColorNameInputBackground:     {0xfbfaf8ff, 0x171615ff, 0xffffffff, 0x000000ff},
	theme.ColorNameInputBorder:         {0xe6e2dbff, 0x353230ff, 0x6b6660ff, 0x8f8a84ff},
	theme.ColorNameMenuBackground:      {0xffffffff, 0x242220ff, 0xffffffff, 0x161616ff},
	theme.ColorNameOverlayBackground:   {0xffffffff, 0x1f1d1cff, 0xffffffff, 0x0d0d0dff},
	theme.ColorNamePlaceHolder:         {0x6a655dff, 0xaea8a0ff, 0x3d3a36ff, 0xd2cec9ff},
	theme.ColorNamePressed:             {0x1e1c1a1a, 0xffffff1e, 0x00000028, 0xffffff38},
	theme.ColorNameScrollBar:           {0x1e1c1a38, 0xffffff38, 0x000000a0, 0xffffffa0},
	theme.ColorNameScrollBarBackground: {0x00000000, 0x00000000, 0x00000000, 0x00000000},
	theme.ColorNameSelection:           {0x11746a38, 0x4cc3b148, 0x064f4660, 0x6fe3d160},
	theme.ColorNameSeparator:           {0xe6e2dbff, 0x2c2a28ff, 0x6b6660ff, 0x8f8a84ff},
	theme.ColorNameShadow:              {0x1e1c1a1c, 0x00000070, 0x00000040, 0x00000090},
}

// inputRadius is that of the corners of an entry.
const inputRadius = 12

// sizes are the lengths at normal text size.
var sizes = map[fyne.ThemeSizeName]float32{
	theme.SizeNameText:               bodySize,
	theme.SizeNameCaptionText:        12,
	theme.SizeNameHeadingText:        22,
	theme.SizeNameSubHeadingText:     18,
	theme.SizeNamePadding:            4,
	theme.SizeNameInnerPadding:       entryPad,
	theme.SizeNameInputRadius:        inputRadius,
	theme.SizeNameInputBorder:        1,
	theme.SizeNameSelectionRadius:    6,
	theme.SizeNameScrollBar:          10,
	theme.SizeNameScrollBarSmall:     4,
	theme.SizeNameScrollBarRadius:    4,
	theme.SizeNameButtonRadius:       10,
	theme.SizeNameCardRadius:         16,
	theme.SizeNameDialogRadius:       20,
	theme.SizeNamePopupRadius:        14,
	theme.SizeNameMenuRadius:         12,
	theme.SizeNameModalBlurRadius:    0,
	theme.SizeNameLineSpacing:        4,
	theme.SizeNameInlineIcon:         18,
	theme.SizeNameSeparatorThickness: 1,
}

// Theme is how Entrenous looks: quiet surfaces, one accent. Its zero value
// follows the system and shows text at normal size.
type Theme struct {
	Appearance string  // as in the settings; "" or "system" follows the system
	TextSize   float32 // 0.8 to 1.6; 0 is 1

	fonts *fonts // what they have; nil: everything
}

var _ fyne.Theme = (*Theme)(nil)

// with is the theme for other settings; those that look the same are equal.
func (t *Theme) with(appearance string, textSize float64) Theme {
	if appearance == "system" {
		appearance = ""
	}
	if textSize == 1 {
		textSize = 0
	}
	return Theme{Appearance: appearance, TextSize: float32(textSize), fonts: t.fonts}
}

// Color gives a token; names that are not ours are Fyne's.
func (t *Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	if name == theme.ColorNameBackground {
		return cleared(t.Color(colorBack, variant))
	}
	c, ours := tones[name]
	if !ours {
		return theme.DefaultTheme().Color(name, variant)
	}
	dark := variant == theme.VariantDark
	switch t.Appearance {
	case appearanceLight:
		return rgba(c.light)
	case appearanceDark:
		return rgba(c.dark)
	case appearanceContrast:
		if dark {
			return rgba(c.contrastDark)
		}
		return rgba(c.contrastLight)
	}
	if dark {
		return rgba(c.dark)
	}
	return rgba(c.light)
}

// Size gives a length; text sizes follow the setting.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	s, ours := sizes[name]
	if !ours {
		return theme.DefaultTheme().Size(name)
	}
	switch name {
	case theme.SizeNameText, theme.SizeNameCaptionText, theme.SizeNameHeadingText, theme.SizeNameSubHeadingText, theme.SizeNameInlineIcon:
		return s * t.scale()
	}
	return s
}

// Font gives the fonts that Fyne brings.
func (t *Theme) Font(style fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(style) }

// Icon gives the icons that Fyne brings.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

func (t *Theme) scale() float32 {
	if t.TextSize == 0 {
		return 1
	}
	return min(max(t.TextSize, 0.8), 1.6)
}

// cleared is the colour that makes Fyne clear the window with c. It divides what
// it is given by 255² where colours go up to 257·255, so that a window comes out
// a shade too light; and to paint the ground over would be the dearest part of
// each frame where no graphics card helps.
func cleared(c color.Color) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return color.RGBA64{R: uint16(n.R) * 255, G: uint16(n.G) * 255, B: uint16(n.B) * 255, A: 255 * 255}
}

func rgba(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 24), G: uint8(v >> 16), B: uint8(v >> 8), A: uint8(v)}
}

// withAlpha is a colour made see-through; 0 is clear, 1 as it was.
func withAlpha(c color.Color, a float32) color.NRGBA {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = uint8(float32(n.A) * a)
	return n
}
