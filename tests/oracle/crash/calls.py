"""The system calls that change a file system, and a seccomp filter that stops a process at each of them."""

import ctypes
import os
import platform
import struct

ALLOW, ASK = 0x7FFF0000, 0x7FC00000  # SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF
SET_FILTER, NEW_LISTENER = 1, 8  # SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER
NO_NEW_PRIVILEGES = 38
CREATES = os.O_CREAT | os.O_TRUNC

# How a call names what it changes: which arguments are a path (with the folder that it is relative to, or none), and which
# is a descriptor.
ONE_PATH = {"paths": [(None, 0)]}
TWO_PATHS = {"paths": [(None, 0), (None, 1)]}
AT = {"paths": [(0, 1)]}
FILE = {"file": 0}
KINDS = {
    "open": ONE_PATH,
    "creat": ONE_PATH,
    "openat": AT,
    "mkdir": ONE_PATH,
    "mkdirat": AT,
    "mknodat": AT,
    "rmdir": ONE_PATH,
    "unlink": ONE_PATH,
    "unlinkat": AT,
    "rename": TWO_PATHS,
    "renameat": {"paths": [(0, 1), (2, 3)]},
    "renameat2": {"paths": [(0, 1), (2, 3)]},
    "link": TWO_PATHS,
    "linkat": {"paths": [(0, 1), (2, 3)]},
    "symlink": {"paths": [(None, 1)]},
    "symlinkat": {"paths": [(1, 2)]},
    "truncate": ONE_PATH,
    "chmod": ONE_PATH,
    "fchmodat": AT,
    "fchownat": AT,
    "utimensat": AT,
    "write": FILE,
    "writev": FILE,
    "pwrite64": FILE,
    "pwritev": FILE,
    "sendfile": FILE,
    "copy_file_range": {"file": 2},
    "ftruncate": FILE,
    "fallocate": FILE,
    "fchmod": FILE,
    "fchown": FILE,
    "fsync": FILE,
    "fdatasync": FILE,
}

# asm/unistd.h; the second is the table that all newer architectures share.
NUMBERS = {
    "x86_64": {
        "write": 1, "open": 2, "pwrite64": 18, "writev": 20, "sendfile": 40, "fsync": 74, "fdatasync": 75, "truncate": 76,
        "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88,
        "chmod": 90, "fchmod": 91, "fchown": 93, "openat": 257, "mkdirat": 258, "mknodat": 259, "fchownat": 260,
        "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268, "utimensat": 280,
        "fallocate": 285, "pwritev": 296, "renameat2": 316, "copy_file_range": 326,
    },
    "aarch64": {
        "mknodat": 33, "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "truncate": 45,
        "ftruncate": 46, "fallocate": 47, "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "openat": 56,
        "write": 64, "writev": 66, "pwrite64": 68, "pwritev": 70, "sendfile": 71, "fsync": 82, "fdatasync": 83,
        "utimensat": 88, "renameat2": 276, "copy_file_range": 285,
    },
}  # fmt: skip
SECCOMP = {"x86_64": 317, "aarch64": 277}
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

MACHINE = platform.machine()
NAMES = {number: name for name, number in NUMBERS.get(MACHINE, {}).items()}

LOAD, JUMP_EQUAL, JUMP_ABOVE, JUMP_BITS, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06


def argument(index: int) -> int:
    """Where the low half of an argument is in what a filter sees (both machines are little-endian)."""
    return 16 + 8 * index


def program() -> bytes:
    """Asks about the calls above; about opening only where that creates or empties, about writing not to the terminal."""
    code = [(LOAD, 0, 0, 4), (JUMP_EQUAL, 1, 0, ARCHITECTURE[MACHINE]), (RETURN, 0, 0, ALLOW), (LOAD, 0, 0, 0)]
    for name, number in NUMBERS[MACHINE].items():
        if name in ("open", "openat"):
            flags = argument(1 if name == "open" else 2)
            then = [(LOAD, 0, 0, flags), (JUMP_BITS, 1, 0, CREATES), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ASK)]
        elif name.startswith(("write", "pwrite")):
            then = [(LOAD, 0, 0, argument(0)), (JUMP_ABOVE, 1, 0, 2), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ASK)]
        else:
            then = [(RETURN, 0, 0, ASK)]
        code += [(JUMP_EQUAL, 0, len(then), number), *then]
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *it) for it in code)


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def install() -> int:
    """Filters this process and all that it becomes. Returns the descriptor that is asked about each call."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = program()
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
    libc.syscall.restype = ctypes.c_long
    what = Filter(len(code) // 8, code)
    listener = libc.syscall(SECCOMP[MACHINE], SET_FILTER, NEW_LISTENER, ctypes.byref(what))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp(SECCOMP_SET_MODE_FILTER) with a listener")
    return listener
