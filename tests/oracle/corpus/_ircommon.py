"""What make_ir.py and make_datamaestro.py have in common.

Nothing here knows a cache layout: it serves bytes over loopback HTTP, lists
trees, and pins modification times, so that the libraries themselves write
every cache file.
"""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import json
import os
import shutil
import stat
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

EPOCH = 1704067200  # 2024-01-01T00:00:00Z, the first pinned modification time
DAY = 86400


# ---------------------------------------------------------------- loopback HTTP


class Loopback:
    """A loopback HTTP proxy that answers every absolute-URI GET itself.

    The library under test is pointed at it with http_proxy, so it can use
    fixed ``http://...test/...`` addresses whatever port the proxy got: file
    names derived from a URL stay the same from run to run.

    ``files`` maps a URL to its bytes. ``stalls`` maps a URL to a byte count:
    that many bytes are sent (under the full Content-Length) and then the
    connection hangs until the client goes away.
    """

    def __init__(self, files: dict[str, bytes], stalls: dict[str, int] | None = None):
        self.files = files
        self.stalls = stalls or {}
        self.requests: list[str] = []
        self._stop = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):  # quiet
                pass

            def do_HEAD(self):
                self._answer(body=False)

            def do_GET(self):
                self._answer(body=True)

            def _answer(self, body: bool):
                url = self.path
                outer.requests.append(url)
                data = outer.files.get(url)
                if data is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                first, status = 0, 200
                rng = self.headers.get("Range", "")
                if rng.startswith("bytes=") and rng.endswith("-"):
                    first, status = int(rng[6:-1]), 206
                self.send_response(status)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(len(data) - first))
                self.send_header("Accept-Ranges", "bytes")
                if status == 206:
                    self.send_header(
                        "Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}"
                    )
                self.end_headers()
                if not body:
                    return
                limit = outer.stalls.get(url)
                if limit is None:
                    self.wfile.write(data[first:])
                    return
                self.wfile.write(data[first:limit])
                self.wfile.flush()
                while not outer._stop.wait(0.05):
                    pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):  # a killed client
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


def worker_env(out: Path, proxy: str | None = None, **extra: str) -> dict[str, str]:
    """A small, clean environment: HOME under OUT_DIR, UTC, no inherited knobs."""
    env = {
        "HOME": str(out / "home"),
        "PATH": os.environ.get("PATH", ""),
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
    }
    if proxy:
        env["http_proxy"] = env["HTTP_PROXY"] = proxy
        env["no_proxy"] = env["NO_PROXY"] = ""
    env.update(extra)
    return env


# ---------------------------------------------------------------- archives


def gz(data: bytes) -> bytes:
    buf = io.BytesIO()
    with gzip.GzipFile(fileobj=buf, mode="wb", mtime=0, filename="") as f:
        f.write(data)
    return buf.getvalue()


def tar(members: dict[str, bytes], compress: bool = True) -> bytes:
    buf = io.BytesIO()
    with tarfile.open(fileobj=buf, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), EPOCH
            t.addfile(info, io.BytesIO(data))
    return gz(buf.getvalue()) if compress else buf.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    buf = io.BytesIO()
    with zipfile.ZipFile(buf, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data)
    return buf.getvalue()


def words(seed: str, n: int) -> str:
    """n deterministic filler words."""
    out, h = [], hashlib.sha256(seed.encode()).digest()
    while len(out) < n:
        h = hashlib.sha256(h).digest()
        out += [f"w{b:02x}" for b in h]
    return " ".join(out[:n])


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


# ---------------------------------------------------------------- trees


def fresh(path: Path) -> None:
    """Stop rather than write into, or delete, something already there."""
    if os.path.lexists(path):
        sys.exit(f"{path} exists already: give an OUT_DIR where it does not")


def walk(root: Path):
    """Every path below root, by name, never through a symbolic link."""
    for entry in sorted(os.scandir(root), key=lambda e: e.name):
        yield Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from walk(Path(entry.path))


def listing(root: Path) -> list[dict]:
    """lstat facts of every path below root, as the file system has them."""
    rows = []
    for p in walk(root):
        st = p.lstat()
        row: dict = {"path": p.relative_to(root).as_posix()}
        if stat.S_ISLNK(st.st_mode):
            row.update(kind="symlink", target=os.readlink(p), mtime=int(st.st_mtime))
        elif stat.S_ISDIR(st.st_mode):
            row.update(kind="dir")
        else:
            row.update(
                kind="file", size=st.st_size, mtime=int(st.st_mtime), nlink=st.st_nlink
            )
        rows.append(row)
    return rows


def pin_mtimes(root: Path) -> None:
    """One day per direct child of root, files one minute apart below it."""
    for day, top in enumerate(sorted(os.listdir(root))):
        p = root / top
        inside = (
            list(walk(p)) if p.is_dir() and not p.is_symlink() else []
        )
        for minute, q in enumerate([p, *inside]):
            t = EPOCH + day * DAY + minute * 60
            os.utime(q, (t, t), follow_symlinks=False)
    os.utime(root, (EPOCH, EPOCH))


def wait_quiet(root: Path, ready, timeout: float = 60.0) -> None:
    """Wait until ready() holds and the sizes below root stopped changing."""

    def snapshot():
        return [(r["path"], r.get("size")) for r in listing(root)]

    end, last, since = time.time() + timeout, None, time.time()
    while time.time() < end:
        now = snapshot()
        if now != last:
            last, since = now, time.time()
        elif ready() and time.time() - since > 1.0:
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing settled below {root}")


def write_expected(out: Path, name: str, data: dict) -> None:
    """expected/NAME.json, with OUT_DIR itself written as ${OUT_DIR}."""
    target = out / "expected" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=True)
    target.write_text(text.replace(str(out), "${OUT_DIR}") + "\n")
    print(f"wrote {target}")


def du(root: Path) -> int:
    return sum(r.get("size", 0) for r in listing(root))


def copytree(src: Path, dst: Path) -> None:
    shutil.copytree(src, dst, symlinks=True)
