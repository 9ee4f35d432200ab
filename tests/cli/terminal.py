# SPDX-License-Identifier: Apache-2.0
"""A terminal for a program: a pseudo-terminal, and a screen that obeys so much of what terminals obey
as the program may use. Anything else is an error."""

import codecs
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time

ESCAPE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])")
PATIENCE_S = 20


class Screen:
    def __init__(self, columns: int, rows: int):
        self.columns, self.rows = columns, rows
        self.normal, self.other = self.blank(), None
        self.colour, self.cursor_shown = "", True
        self.row = self.column = 0
        self.saved = (0, 0)
        self.scrolled = 0  # lines of the other screen
        self.rest = ""  # an escape sequence that hasn't arrived whole

    def blank(self) -> list:
        return [[(" ", "")] * self.columns for _ in range(self.rows)]

    @property
    def lines(self) -> list:
        return self.normal if self.other is None else self.other

    def text(self) -> str:
        """Without blanks at the ends of lines and empty lines at the end."""
        rows = ["".join(sign for sign, _ in line).rstrip() for line in self.lines]
        return "\n".join(rows).rstrip("\n") + "\n"

    def colours(self) -> dict:
        """The colour of each kind of sign that has one."""
        return {sign: colour for line in self.lines for sign, colour in line if colour}

    def resize(self, columns: int, rows: int) -> None:
        """What was there is garbled, as it is in many terminals."""
        self.columns, self.rows = columns, rows
        self.normal = self.blank()
        self.other = None if self.other is None else [[("#", "")] * columns for _ in range(rows)]
        self.row = self.column = 0

    def feed(self, text: str) -> None:
        text, self.rest = self.rest + text, ""
        at = 0
        while at < len(text):
            found = ESCAPE.match(text, at)
            if found:
                self.obey(found[1] + found[3], found[2])
                at = found.end()
            elif text[at] == "\x1b":
                assert len(text) - at < 16, repr(text[at:at + 16])
                self.rest = text[at:]
                return
            else:
                self.put(text[at])
                at += 1

    def put(self, sign: str) -> None:
        if sign == "\r":
            self.column = 0
        elif sign == "\n":
            self.line_feed()
        else:
            assert sign.isprintable(), repr(sign)
            if self.column == self.columns:  # behind a full line the next sign begins another
                self.column = 0
                self.line_feed()
            self.lines[self.row][self.column] = (sign, self.colour)
            self.column += 1

    def line_feed(self) -> None:
        self.row += 1
        if self.row == self.rows:
            self.row -= 1
            self.scrolled += self.other is not None
            self.lines.append([(" ", "")] * self.columns)
            del self.lines[0]

    def obey(self, command: str, numbers: str) -> None:
        if command == "H":
            row, _, column = numbers.partition(";")
            self.row = min(int(row or 1), self.rows) - 1
            self.column = min(int(column or 1), self.columns) - 1
        elif command in ("K", "J"):
            assert not numbers
            column = min(self.column, self.columns - 1)
            self.lines[self.row][column:] = [(" ", "")] * (self.columns - column)
            if command == "J":
                self.lines[self.row + 1:] = self.blank()[self.row + 1:]
        elif command == "m":
            self.colour = numbers
        elif command + numbers == "?h1049":
            self.saved, self.other = (self.row, self.column), self.blank()
        elif command + numbers == "?l1049":
            (self.row, self.column), self.other = self.saved, None
        elif numbers == "25" and command in ("?h", "?l"):
            self.cursor_shown = command == "?h"
        else:
            raise AssertionError(f"nobody knows {command} {numbers}")


class Terminal:
    """A program on a terminal of its own, which is the one that ^C and ^Z go to."""

    def __init__(self, command: list, columns: int, rows: int, **how):
        self.screen = Screen(columns, rows)
        self.written = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.master, self.slave = os.openpty()
        self.size(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **how)

    def size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(columns, rows)
        self.size(columns, rows)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def modes(self) -> list:
        return termios.tcgetattr(self.slave)

    def read(self, patience_s: float) -> bool:
        """Whether anything came."""
        if not select.select([self.master], [], [], patience_s)[0]:
            return False
        arrived = os.read(self.master, 65536)
        self.written += len(arrived)
        self.screen.feed(self.decoder.decode(arrived))
        return True

    def shows(self, wanted) -> None:
        """Waits until the screen shows the text, or until wanted(screen) holds."""
        deadline = time.monotonic() + PATIENCE_S
        test = wanted if callable(wanted) else lambda screen: screen.text() == wanted
        while not test(self.screen):
            if time.monotonic() > deadline:
                raise AssertionError(f"it shows\n{self.screen.text()}and not\n{wanted}")
            self.read(0.1)

    def stopped(self) -> None:
        """Waits until it has been stopped, as the shell that has started it does."""
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        self.drain()

    def ended(self) -> int:
        """Waits until it has ended; returns its exit status."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.screen.text()
            self.read(0.1)
        self.drain()
        return self.process.returncode

    def drain(self) -> None:
        while self.read(0):
            pass

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
