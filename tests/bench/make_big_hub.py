#!/usr/bin/env python3
"""Make a large, realistic Hugging Face home for benchmarks.

usage: make_big_hub.py OUT_DIR [--scale N]

Writes OUT_DIR/.cache/huggingface/{hub,datasets,assets} and OUT_DIR/.ir_datasets. At --scale 1 that is about
100,000 directory entries; the number grows linearly with N. Contents are sparse, so the disk cost is inodes.
Everything is deterministic: the same scale gives the same names and sizes.
"""

import argparse
import hashlib
import os
import random

rng = random.Random(20261120)


def hexname(length, *parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:length]


def sparse(path, size):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    os.ftruncate(fd, size)
    os.close(fd)


def repo(hub, kind, name, files, revisions, shared):
    """One repo: each revision links `files` files; a share of the blobs is common to all revisions."""
    base = os.path.join(hub, f"{kind}s--{name.replace('/', '--')}")
    for sub in ("blobs", "refs", "snapshots"):
        os.makedirs(os.path.join(base, sub), exist_ok=True)
    for r in range(revisions):
        commit = hexname(40, name, r)
        snap = os.path.join(base, "snapshots", commit)
        for f in range(files):
            folder = f"shard-{f // 1000:03d}" if files > 50 else ""
            os.makedirs(os.path.join(snap, folder), exist_ok=True)
            owner = 0 if f < files * shared else r
            blob = hexname(64 if f % 3 == 0 else 40, name, owner, f)
            blob_path = os.path.join(base, "blobs", blob)
            if not os.path.exists(blob_path):
                sparse(blob_path, rng.randrange(200, 5_000_000 if f % 3 == 0 else 60_000))
            up = "../" * (3 if folder else 2)
            os.symlink(f"{up}blobs/{blob}", os.path.join(snap, folder, f"file-{f:06d}.bin"))
        if r < revisions - 1 or revisions == 1:  # the last revision of a repo with several stays detached
            ref = "main" if r == 0 else f"refs/pr/{r}"
            os.makedirs(os.path.dirname(os.path.join(base, "refs", ref)), exist_ok=True)
            with open(os.path.join(base, "refs", ref), "w") as out:
                out.write(commit)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out")
    args.add_argument("--scale", type=float, default=1)
    a = args.parse_args()
    hf = os.path.join(a.out, ".cache", "huggingface")
    hub = os.path.join(hf, "hub")
    os.makedirs(hub, exist_ok=True)
    for m in range(int(150 * a.scale)):
        repo(hub, "model", f"org{m % 37}/model-{m}", files=12, revisions=1 + m % 3, shared=0.6)
    for d in range(max(1, int(4 * a.scale))):
        repo(hub, "dataset", f"data{d % 5}/corpus-{d}", files=6000, revisions=2, shared=0.7)
    for d in range(int(20 * a.scale)):
        base = os.path.join(hf, "datasets", f"org___set{d}", "default", "0.0.0", hexname(64, "ds", d))
        os.makedirs(base, exist_ok=True)
        for f in range(250):
            sparse(os.path.join(base, f"set{d}-train-{f:05d}-of-00250.arrow"), rng.randrange(1000, 500_000))
    for d in range(int(10 * a.scale)):
        base = os.path.join(a.out, ".ir_datasets", f"corpus{d}", "docs.pklz4")
        os.makedirs(base, exist_ok=True)
        for f in range(300):
            sparse(os.path.join(base, f"part-{f}.lz4"), rng.randrange(1000, 500_000))


if __name__ == "__main__":
    main()
