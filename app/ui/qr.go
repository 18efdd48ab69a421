package ui

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // the formats that a picture of a code may have
	_ "image/png"
	"io"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	qr "github.com/skip2/go-qrcode"
	_ "golang.org/x/image/webp" // likewise
)

// Limits of a picture that is searched for a code, checked before it is
// unpacked.
const (
	maxPictureBytes = 20 << 20
	maxPicturePixel = 25_000_000
)

// Why a picture gave no code.
var (
	errNotPicture = errors.New("not a PNG, JPEG or WebP picture")
	errTooLarge   = errors.New("the picture is too large")
	errNoCode     = errors.New("no QR code in the picture")
)

// codePicture draws text as a QR code of one pixel a module, dark on light on
// every theme because not every camera reads the inverse. The quiet zone of
// four modules (ISO/IEC 18004 §5.3.8) is part of it.
func codePicture(content string) (image.Image, error) {
	code, err := qr.New(content, qr.Medium)
	if err != nil {
		return nil, fmt.Errorf("draw qr code: %w", err)
	}
	bits := code.Bitmap()
	img := image.NewGray(image.Rect(0, 0, len(bits), len(bits)))
	for y, line := range bits {
		for x, dark := range line {
			if !dark {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img, nil
}

// newCode shows content as a QR code at least side wide.
func newCode(content string, side float32) (fyne.CanvasObject, error) {
	img, err := codePicture(content)
	if err != nil {
		return nil, err
	}
	shown := canvas.NewImageFromImage(img)
	shown.FillMode = canvas.ImageFillContain
	shown.ScaleMode = canvas.ImageScalePixels
	modules := float32(img.Bounds().Dx())
	shown.SetMinSize(fyne.NewSquareSize(max(2, float32(int(side/modules+0.5))) * modules)) // whole pixels a module
	return shown, nil
}

// readCode finds the QR code in a picture and gives its text. The picture
// comes from anywhere: nothing is unpacked before its size is known.
func readCode(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPictureBytes+1))
	if err != nil {
		return "", fmt.Errorf("read picture: %w", err)
	}
	if len(data) > maxPictureBytes {
		return "", errTooLarge
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || format != "png" && format != "jpeg" && format != "webp" {
		return "", errNotPicture
	}
	if config.Width <= 0 || config.Height <= 0 || int64(config.Width)*int64(config.Height) > maxPicturePixel {
		return "", errTooLarge
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return "", errNotPicture
	}
	return findCode(img)
}

// findCode tries the ways that fit photographs, then the one for drawings.
func findCode(img image.Image) (string, error) {
	light := gozxing.NewLuminanceSourceFromImage(img)
	for _, try := range []struct {
		bits  gozxing.Binarizer
		hints map[gozxing.DecodeHintType]any
	}{
		{gozxing.NewHybridBinarizer(light), nil},
		{gozxing.NewHybridBinarizer(light), map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}},
		{gozxing.NewGlobalHistgramBinarizer(light), nil},
		{gozxing.NewGlobalHistgramBinarizer(light), map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true}},
	} {
		bitmap, err := gozxing.NewBinaryBitmap(try.bits)
		if err != nil {
			continue
		}
		if found, err := qrcode.NewQRCodeReader().Decode(bitmap, try.hints); err == nil {
			return found.GetText(), nil
		}
	}
	return "", errNoCode
}

// newCodeFrame puts a code on white, so that it can be read on a dark theme
// too.
func newCodeFrame(code fyne.CanvasObject) fyne.CanvasObject {
	paper := canvas.NewRectangle(color.White)
	paper.CornerRadius = 16
	return container.NewStack(paper, container.New(layout.NewCustomPaddedLayout(8, 8, 8, 8), code))
}
