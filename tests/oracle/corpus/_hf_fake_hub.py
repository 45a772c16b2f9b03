"""A tiny fake Hugging Face Hub on loopback, for make_hf.py.

It serves just enough of the Hub's HTTP API for the real client libraries (huggingface_hub, datasets,
transformers, hf_xet) to download from it, so that what lands on disk is written by those libraries.
"""

import hashlib
import json
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from _hf_content import PLAIN_FILES, STALLS, File, build_repos, git_sha1

_REPO = r"(?P<id>[^/]+(?:/[^/]+)?)"
RESOLVE = re.compile(rf"/(?:(?P<type>datasets|spaces|kernels)/)?{_REPO}/resolve/(?P<rev>[^/]+)/(?P<path>.+)")
API = re.compile(
    rf"/api/(?P<type>models|datasets|spaces|kernels)/{_REPO}"
    r"(?:/(?P<verb>revision|tree|paths-info|xet-read-token)/(?P<rev>[^/]+)(?:/(?P<path>.+))?)?"
)


def chunk_extent(xorb: bytes, size: int) -> tuple[int, int]:
    """How many chunks, and how many bytes, at the start of a xorb make up a file of that size.

    A chunk is an 8-byte header (version, 24-bit packed length, scheme, 24-bit unpacked length) and its packed data.
    """
    count = end = 0
    while size > 0:
        size -= int.from_bytes(xorb[end + 5 : end + 8], "little")
        end += 8 + int.from_bytes(xorb[end + 1 : end + 4], "little")
        count += 1
    return count, end


class FakeHub:
    """The server, its repos, and what make_hf.py changes between two client runs."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None):
        self.repos = build_repos()
        self.port, self.tls = port, tls
        self.xet_hashes: dict[str, str] = {}  # sha256 -> Xet hash
        self.xorbs: dict[str, tuple[str, bytes, int]] = {}  # Xet hash -> xorb hash, xorb, file size
        self.release = threading.Event()
        self.server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"hub": self}))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def move(self, type: str, id: str, ref: str, label: str) -> None:
        self.repos[type, id].refs[ref] = label

    def add_xet(self, published: dict[str, dict]) -> None:
        """What the stage publish_xet reports: sha256 -> its Xet hash and the xorb that holds it."""
        for sha, file in published.items():
            self.xet_hashes[sha] = file["hash"]
            self.xorbs[file["hash"]] = (file["xorb_hash"], Path(file["xorb"]).read_bytes(), file["size"])

    def large_files(self) -> dict[str, bytes]:
        return {
            f.sha256: f.data
            for r in self.repos.values()
            for c in r.commits.values()
            for f in c.values()
            if f.storage != "git"
        }

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients get killed on purpose


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"
    intercepted = False  # True inside a CONNECT tunnel: the client believes it talks to huggingface.co

    def log_message(self, *args):  # silent
        pass

    # -- answers

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def missing(self, code: str, commit: str | None = None) -> None:
        self.answer(
            404, b"", {"X-Error-Code": code, "X-Error-Message": code} | ({"X-Repo-Commit": commit} if commit else {})
        )

    def answer_file(
        self, data: bytes, etag: str, headers: dict[str, str] | None = None, stall: int | None = None
    ) -> None:
        headers = {"ETag": f'"{etag}"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"} | (
            headers or {}
        )
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), int(wanted[2] or len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            return self.answer(206, data[first : last + 1], headers)
        if stall is None or self.command == "HEAD":
            return self.answer(200, data, headers)
        self.send_response(200)  # a transfer that never ends
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:stall])
        self.wfile.flush()
        self.hub.release.wait()
        self.close_connection = True

    # -- routes

    def do_CONNECT(self) -> None:
        """Act as an HTTPS proxy for the old transformers client, so that it records genuine https URLs."""
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        self.connection = self.hub.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)
        self.intercepted = True
        self.close_connection = False

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        plain = PLAIN_FILES.get(path)
        if plain is not None:
            return self.answer_file(plain, hashlib.md5(plain).hexdigest())
        if path.startswith("/cdn/"):
            sha = path.removeprefix("/cdn/")
            return self.answer_file(self.hub.large_files()[sha], sha, stall=STALLS.get(sha))
        if path.startswith("/cas/"):
            return self.cas(path.removeprefix("/cas/"))
        if path == "/api/whoami-v2":
            return self.answer_json(
                {
                    "type": "user",
                    "name": "acme-user",
                    "fullname": "A",
                    "orgs": [],
                    "auth": {"type": "access_token", "accessToken": {"displayName": "corpus", "role": "read"}},
                }
            )
        if m := RESOLVE.fullmatch(path):
            return self.resolve((m["type"] or "models")[:-1], unquote(m["id"]), unquote(m["rev"]), unquote(m["path"]))
        if m := API.fullmatch(path):
            return self.api(
                m["type"][:-1], unquote(m["id"]), m["verb"], unquote(m["rev"] or "main"), unquote(m["path"] or "")
            )
        self.missing("RepoNotFound")

    def resolve(self, type: str, id: str, revision: str, path: str) -> None:
        repo = self.hub.repos.get((type, id))
        if repo is None:
            return self.missing("RepoNotFound")
        label = repo.find(revision)
        if label is None:
            return self.missing("RevisionNotFound")
        commit, file = repo.commit(label), repo.commits[label].get(path)
        if file is None:
            return self.missing("EntryNotFound", commit)
        if file.storage == "git":
            return self.answer_file(file.data, file.etag, {"X-Repo-Commit": commit})
        cdn = "https://cdn-lfs.huggingface.co" if self.intercepted else f"http://localhost:{self.hub.port}"
        headers = {
            "Location": f"{cdn}/cdn/{file.sha256}",
            "X-Repo-Commit": commit,
            "X-Linked-Etag": f'"{file.sha256}"',
            "X-Linked-Size": str(len(file.data)),
        }
        if file.storage == "xet":
            headers["X-Xet-Hash"] = self.hub.xet_hashes[file.sha256]
            headers["Link"] = f'<{self.hub.endpoint}/api/{type}s/{id}/xet-read-token/{commit}>; rel="xet-auth"'
        self.answer(302, b"", headers)

    def api(self, type: str, id: str, verb: str | None, revision: str, path: str) -> None:
        repo = self.hub.repos.get((type, id))
        if repo is None:
            return self.missing("RepoNotFound")
        label = repo.find(revision)
        if label is None:
            return self.missing("RevisionNotFound")
        files = repo.commits[label]
        if verb in (None, "revision"):
            return self.answer_json(
                {
                    "id": id,
                    "sha": repo.commit(label),
                    "private": False,
                    "tags": [],
                    "downloads": 0,
                    "likes": 0,
                    "lastModified": "2024-01-01T00:00:00.000Z",
                    "siblings": [{"rfilename": p} for p in files],
                }
            )
        if verb == "xet-read-token":
            return self.answer(
                200,
                b"{}",
                {
                    "X-Xet-Cas-Url": f"http://localhost:{self.hub.port}/cas",
                    "X-Xet-Access-Token": "none",
                    "X-Xet-Token-Expiration": "4000000000",
                },
            )
        entries = {p: self.entry(p, f) for p, f in files.items()}
        for p in files:  # the folders too
            for i in range(1, p.count("/") + 1):
                folder = "/".join(p.split("/")[:i])
                entries[folder] = {
                    "type": "directory",
                    "oid": hashlib.sha1(folder.encode()).hexdigest(),
                    "size": 0,
                    "path": folder,
                }
        if verb == "paths-info":
            body = parse_qs(self.body.decode()) if not self.body.startswith(b"{") else json.loads(self.body)
            return self.answer_json([entries[p] for p in body.get("paths", []) if p in entries])
        prefix = f"{path}/" if path else ""
        deep = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() in ("true", "1")
        self.answer_json(
            [e for p, e in sorted(entries.items()) if p.startswith(prefix) and (deep or "/" not in p[len(prefix) :])]
        )

    def cas(self, path: str) -> None:
        """The part of the Xet storage protocol that a download needs (where the chunks of a file are, and their bytes),
        and answers that let an upload succeed."""
        if m := re.fullmatch(r"v2/reconstructions/([0-9a-f]{64})", path):
            xorb_hash, xorb, size = self.hub.xorbs[m[1]]
            chunks, end = chunk_extent(xorb, size)
            return self.answer_json(
                {
                    "offset_into_first_range": 0,
                    "terms": [{"hash": xorb_hash, "unpacked_length": size, "range": {"start": 0, "end": chunks}}],
                    "xorbs": {
                        xorb_hash: [
                            {
                                "url": f"http://localhost:{self.hub.port}/cas/xorb/{m[1]}",
                                "ranges": [
                                    {"chunks": {"start": 0, "end": chunks}, "bytes": {"start": 0, "end": end - 1}}
                                ],
                            }
                        ]
                    },
                }
            )
        if m := re.fullmatch(r"xorb/([0-9a-f]{64})", path):
            return self.answer_file(self.hub.xorbs[m[1]][1], m[1])
        if path.startswith("v1/xorbs/"):
            return self.answer_json({"was_inserted": True})
        if path == "v1/shards":
            return self.answer_json({"result": 1})
        self.missing("EntryNotFound")

    def entry(self, path: str, file: File) -> dict:
        entry = {"type": "file", "oid": git_sha1(file.data), "size": len(file.data), "path": path}
        if file.storage != "git":
            version = "version https://git-lfs.github.com/spec/v1"
            pointer = f"{version}\noid sha256:{file.sha256}\nsize {len(file.data)}\n".encode()
            entry |= {
                "oid": git_sha1(pointer),
                "lfs": {"oid": file.sha256, "size": len(file.data), "pointerSize": len(pointer)},
            }
        if file.storage == "xet":
            entry["xetHash"] = self.hub.xet_hashes[file.sha256]
        return entry
