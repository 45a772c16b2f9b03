"""Runs a program that asks before each system call that changes a file system: it is let go on, fails, or is killed.

The kernel asks (seccomp with a listener, Linux 5.5), so that the program is the real one, with all its threads, and no
call that was not allowed has happened. Nothing of it needs a privilege.
"""

import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crash import calls

RECEIVE, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND
REQUEST, RESPONSE = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")
CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
HERE = -100  # AT_FDCWD
PATIENCE = 120  # seconds without a call or an end


@dataclass(frozen=True)
class Call:
    """A system call that is about to change something."""

    name: str
    paths: tuple[str, ...]
    flags: int = 0

    def beneath(self, folder: Path) -> bool:
        return any(path == str(folder) or path.startswith(f"{folder}/") for path in self.paths)


@dataclass
class Ended:
    """How a program ended: its exit status, or minus the signal."""

    status: int
    stdout: str
    stderr: str
    calls: list[Call] = field(default_factory=list)


GO_ON, KILL, INTERRUPT = 0, -1, -2
# What is to become of a call: it is let happen, it fails with an error number, the process is killed or interrupted first.
Judge = Callable[[int, Call], int]


def run(command: list[str], environment: dict[str, str], scratch: Path, world: Path, judge: Judge) -> Ended:
    """Runs a command. Calls that change something beneath `world` are numbered from 0, and `judge` decides on each."""
    out, err = scratch / "stdout", scratch / "stderr"
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        become(command, environment, world, (out, err), theirs)
    theirs.close()
    try:
        with ours:
            _, listeners, _, _ = socket.recv_fds(ours, 1, 1)
        if not listeners:
            raise RuntimeError(f"{command[0]} could not be filtered: {err.read_text()}")
        seen = attend(listeners[0], child, world, judge)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), out.read_text(), err.read_text(), seen)


def impossible(scratch: Path) -> str | None:
    """Why programs cannot be stopped here, if they cannot."""
    if calls.MACHINE not in calls.NUMBERS:
        return f"the numbers of the system calls of {calls.MACHINE} are not known"
    probe = scratch / "probe"
    probe.mkdir()
    seen = []
    try:
        mkdir = [sys.executable, "-S", "-c", "import os, sys; os.mkdir(sys.argv[1])", str(probe / "made")]
        run(mkdir, {}, scratch, probe, lambda number, call: seen.append(call) or KILL)
    except (RuntimeError, OSError) as error:
        return f"the kernel does not let a process ask before its calls: {error}"
    return None if seen and not (probe / "made").exists() else "a process that was killed before a call made it"


def become(command, environment, folder: Path, streams: tuple[Path, Path], channel: socket.socket) -> None:
    """What the child does."""
    try:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, path in enumerate(streams, 1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        listener = calls.install()
        socket.send_fds(channel, [b"!"], [listener])
        os.execve(command[0], command, environment)
    except BaseException as error:
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(127)


def attend(listener: int, child: int, world: Path, judge: Judge) -> list[Call]:
    """Answers until no process is left that could ask."""
    poll, seen, killed = select.poll(), [], False
    poll.register(listener, select.POLLIN)
    try:
        while True:
            ready = poll.poll(PATIENCE * 1000)
            if not ready:
                raise TimeoutError(f"nothing happened for {PATIENCE} s after {seen[-3:]}")
            if not ready[0][1] & select.POLLIN:
                return seen
            asked = receive(listener)
            if asked is None or killed:
                time.sleep(0)
                continue
            identity, process, call = asked
            if call is None or not call.beneath(world):
                respond(listener, identity, GO_ON)
                continue
            seen.append(call)
            verdict = judge(len(seen) - 1, call)
            if verdict == KILL:
                # Whoever is killed while it waits for an answer never makes the call.
                os.kill(child, signal.SIGKILL)
                killed = True
            elif verdict == INTERRUPT:
                os.kill(child, signal.SIGINT)  # if it wakes the thread that asked, that asks again
                respond(listener, identity, GO_ON)
            else:
                respond(listener, identity, verdict)
    finally:
        os.close(listener)


def receive(listener: int) -> tuple[int, int, Call | None] | None:
    buffer = bytearray(REQUEST.size)
    try:
        fcntl.ioctl(listener, RECEIVE, buffer)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINTR):
            return None  # whoever asked is gone
        raise
    identity, process, _, number, _, _, *arguments = REQUEST.unpack(buffer)
    try:
        return identity, process, understand(process, number, arguments)
    except (FileNotFoundError, ProcessLookupError):
        return identity, process, None


def respond(listener: int, identity: int, error: int) -> None:
    answer = RESPONSE.pack(identity, 0, -error, 0 if error else CONTINUE)
    try:
        fcntl.ioctl(listener, SEND, answer)
    except OSError as failed:
        if failed.errno != errno.ENOENT:
            raise


def understand(process: int, number: int, arguments: list[int]) -> Call:
    name = calls.NAMES[number]
    kind = calls.KINDS[name]
    if "file" in kind:
        return Call(name, (os.readlink(f"/proc/{process}/fd/{arguments[kind['file']]}"),))
    paths = [path_of(process, arguments, *it) for it in kind["paths"]]
    return Call(name, tuple(paths), arguments[2] if name == "unlinkat" else 0)


def path_of(process: int, arguments: list[int], folder: int | None, text: int) -> str:
    fd = HERE if folder is None else struct.unpack("=i", struct.pack("=I", arguments[folder] & 0xFFFFFFFF))[0]
    name = read_text(process, arguments[text]) if arguments[text] else ""
    above = os.readlink(f"/proc/{process}/cwd" if fd == HERE else f"/proc/{process}/fd/{fd}")
    return os.path.join(above, name) if name else above


def read_text(process: int, address: int) -> str:
    memory = os.open(f"/proc/{process}/mem", os.O_RDONLY)
    try:
        text = b""
        while b"\0" not in text:
            # Never over the end of a page, behind which there may be nothing.
            text += os.pread(memory, 4096 - (address + len(text)) % 4096, address + len(text))
    finally:
        os.close(memory)
    return os.fsdecode(text.partition(b"\0")[0])
