// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A frame is the length of its text, four bytes big-endian, and then the text.
const (
	headerSize = 4
	maxFrame   = 8 << 20
)

var errFrameTooLarge = errors.New("frame too large")

// readFrame returns io.EOF if the stream ends between two frames, and io.ErrUnexpectedEOF if it
// ends inside one.
func readFrame(in io.Reader) ([]byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[:])
	if size > maxFrame {
		return nil, fmt.Errorf("%w: %d bytes announced, at most %d are allowed",
			errFrameTooLarge, size, maxFrame)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return text, nil
}

func writeFrame(out io.Writer, text []byte) error {
	if len(text) > maxFrame {
		return fmt.Errorf("%w: %d bytes to write, at most %d are allowed",
			errFrameTooLarge, len(text), maxFrame)
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, headerSize+len(text)), uint32(len(text)))
	_, err := out.Write(append(frame, text...))
	return err
}
