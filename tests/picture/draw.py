#!/usr/bin/env python3
"""Runs a command on a terminal of its own and draws what it prints, colours and all.

usage: draw.py PICTURE.svg HOME COMMAND...      HOME is called /home/me in the picture
"""

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

from rich.console import Console
from rich.text import Text

HOME = "/home/me"
COLUMNS, LINES = 112, 50
FONT = re.compile(r"@font-face \{.*?\}\s*", re.S)


def output_of(command: list[str], columns: int) -> str:
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs):
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # how a terminal tells that nobody writes to it any more
            pass
    return said.decode()


def main() -> None:
    picture, home, program, *arguments = sys.argv[1:]
    columns = COLUMNS + len(home) - len(HOME)  # so that there is room for the longer name
    text = output_of([program, *arguments], columns).replace("\r\n", "\n").replace(home, HOME).rstrip()
    # Progress that was drawn and wiped again is no part of the picture.
    text = re.sub(r"[^\n]*\r(\x1b\[2K|\x1b\[K)?", "", text)
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)
    console.print(Text.from_ansi(f"\x1b[2m$\x1b[0m dscc {' '.join(arguments)}\n{text}"), soft_wrap=True)
    drawn = console.export_svg(title="dscc")
    # Nothing is fetched to show it: the reader's own font will do.
    with open(picture, "w") as file:
        file.write(FONT.sub("", drawn).replace("Fira Code, ", ""))


if __name__ == "__main__":
    main()
