#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""terminal.py LINESxCOLUMNS STEP... -- COMMAND...

Runs a program on a terminal of that size and takes the steps one by one:

	wait=TEXT	until TEXT is on the screen: in what was drawn last
	gone=TEXT	until it is not
	send=KEYS	types them, with \\t, \\e for ESC
	size=LxC	gives the terminal another size
	kill=NAME	sends it SIGNAME
	stopped		until it has stopped itself

Then the program has to end by itself. Says, a line each: "exit N", or "signal N";
"modes restored" or "modes left raw"; "page restored" or "page left"; then the screen.
Exit status 1 when a step does not come true within ten seconds.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 10
CLEAR = "\033[H\033[J"


def text_of(drawn):
    """Without what moves the cursor and paints."""
    return re.sub(r"\033\[[?0-9;]*[A-Za-z]", "", drawn).replace("\r", "")


class Terminal:
    def __init__(self, size, command):
        self.main, self.side = pty.openpty()
        self.resize(size)
        self.modes = termios.tcgetattr(self.side)
        self.seen = ""
        self.pid = os.fork()
        if not self.pid:
            os.close(self.main)
            self.login()
            os.execvp(command[0], command)
        self.status = None

    def login(self):
        os.setsid()
        fcntl.ioctl(self.side, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(self.side, fd)

    def resize(self, size):
        lines, columns = map(int, size.split("x"))
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))

    def read(self, seconds):
        if select.select([self.main], [], [], seconds)[0]:
            self.seen += os.read(self.main, 65536).decode("utf-8", "replace")

    def screen(self):
        return text_of(self.seen.rpartition(CLEAR)[2])

    def until(self, is_true):
        end = time.monotonic() + PATIENCE
        while not is_true():
            if time.monotonic() > end:
                return False
            self.read(0.05)
        return True

    def is_over(self, flags=os.WNOHANG):
        if self.status is None:
            pid, status = os.waitpid(self.pid, flags)
            if pid and os.WIFSTOPPED(status):
                return True
            if pid:
                self.status = status
        return self.status is not None

    def take(self, step):
        what, _, arg = step.partition("=")
        if what == "wait":
            return self.until(lambda: arg in self.screen())
        if what == "gone":
            return self.until(lambda: arg not in self.screen())
        if what == "stopped":
            return self.until(lambda: self.is_over(os.WNOHANG | os.WUNTRACED))
        if what == "send":
            os.write(self.main, arg.replace("\\t", "\t").replace("\\e", "\033").encode())
        elif what == "size":
            self.resize(arg)
        elif what == "kill":
            os.kill(self.pid, getattr(signal, "SIG" + arg))
        else:
            sys.exit(__doc__)
        return True


def main():
    split = sys.argv.index("--")
    steps, command = sys.argv[2:split], sys.argv[split + 1:]
    t = Terminal(sys.argv[1], command)
    for step in steps:
        if not t.take(step):
            print(f"{step}: not within {PATIENCE} s, on the screen is:\n{t.screen()}")
            os.kill(t.pid, signal.SIGKILL)
            return 1
    if not t.until(t.is_over):
        print(f"does not end; on the screen is:\n{t.screen()}")
        os.kill(t.pid, signal.SIGKILL)
        return 1
    t.read(0.1)
    if os.WIFSIGNALED(t.status):
        print("signal", os.WTERMSIG(t.status))
    else:
        print("exit", os.WEXITSTATUS(t.status))
    same = termios.tcgetattr(t.side)[:4] == t.modes[:4]
    print("modes restored" if same else "modes left raw")
    other, usual = t.seen.rfind("\033[?1049h"), t.seen.rfind("\033[?1049l")
    print("page restored" if usual >= other else "page left")
    print(t.screen().rstrip("\n"))
    return 0


sys.exit(main())
