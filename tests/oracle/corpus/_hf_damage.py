"""A hub cache with one kind of damage per repo. Repos are copies of a real one; only the damage is ours."""

import hashlib
import os
import shutil
from pathlib import Path

HUB = Path(".cache/huggingface/hub")


def make_broken(maker) -> None:
    source, hub = maker.home / HUB, maker.out / "broken" / HUB
    hub.mkdir(parents=True)

    def clone(name: str) -> Path:
        """A copy of acme/moving with commit ids of its own (the same id in two repos is what renamed/ is about)."""
        repo = Path(shutil.copytree(source / "models--acme--moving", hub / f"models--acme--{name}", symlinks=True))
        for snapshot in list((repo / "snapshots").iterdir()):
            new = hashlib.sha1((name + snapshot.name).encode()).hexdigest()
            for ref in (repo / "refs").iterdir():
                ref.write_text(ref.read_text().replace(snapshot.name, new))
            for tree in (repo / "trees").glob(f"{snapshot.name}.json"):
                tree.rename(tree.with_name(f"{new}.json"))
            snapshot.rename(snapshot.with_name(new))
        return repo

    def snapshots(repo: Path) -> list[Path]:
        return sorted((repo / "snapshots").iterdir())

    clone("healthy")
    (clone("ref-to-nowhere") / "refs" / "old").write_text("0" * 40)
    ref = clone("ref-with-newline") / "refs" / "main"
    ref.write_text(ref.read_text() + "\n")
    ref = clone("ref-temporary") / "refs" / "main"  # what a crash between write and rename leaves
    shutil.copy(ref, ref.with_name("main.0a1b2c3d.tmp"))
    shutil.rmtree(clone("refs-is-a-file") / "refs")
    (hub / "models--acme--refs-is-a-file" / "refs").write_text("x")
    shutil.rmtree(clone("no-refs") / "refs")
    shutil.rmtree(clone("no-snapshots") / "snapshots")
    (snapshots(clone("file-in-snapshots"))[0].parent / "notes.txt").write_text("mine")
    (snapshots(clone("ds-store"))[0].parent / ".DS_Store").write_bytes(b"x")
    (snapshots(hub / "models--acme--ds-store")[-1] / ".DS_Store").write_bytes(b"x")
    next(p for p in clone("missing-blob").glob("blobs/*") if p.stat().st_size == 100_000).unlink()
    (clone("orphan-blob") / "blobs" / ("ab" * 20)).write_bytes(b"nobody points here" * 1000)
    (clone("empty-revision") / "snapshots" / ("cd" * 20)).mkdir()
    shared = next(p for p in clone("corrupt-blob").glob("blobs/*") if p.stat().st_size == 100_000)
    shared.write_bytes(b"?" + shared.read_bytes()[1:])
    shared = next(p for p in clone("truncated-blob").glob("blobs/*") if p.stat().st_size == 100_000)
    shared.write_bytes(shared.read_bytes()[:50_000])
    # A user linked a file, and a folder, of their own into a snapshot.
    outside = maker.out / "broken" / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "precious.bin").write_bytes(b"mine" * 1000)
    (outside / "folder" / "inner.bin").write_bytes(b"mine" * 500)
    for snapshot in snapshots(clone("outside-link"))[:1]:
        (snapshot / "precious.bin").symlink_to(os.path.relpath(outside / "precious.bin", snapshot))
        (snapshot / "folder").symlink_to(os.path.relpath(outside / "folder", snapshot))
    # A user moved a repo to another disk and left a link.
    shutil.move(clone("moved"), outside / "models--acme--moved")
    (hub / "models--acme--moved").symlink_to(os.path.relpath(outside / "models--acme--moved", hub))
    # Things at the top that are not repos.
    (hub / "version.txt").write_text("1")  # left by transformers 4.22 and later
    (hub / ".DS_Store").write_bytes(b"x")
    (hub / "tmpk3j5l2m1").mkdir()  # left by a crash of the symlink probe
    (hub / "random").mkdir()
    (hub / "buckets--acme--data").mkdir()
    (hub / "models----").mkdir()
    # A shared store of a later layout: must be left alone.
    shutil.copytree(source / "blobs", hub / "blobs")
    (hub / "blobs" / ".huggingface-shared-blobs").chmod(0o644)
    (hub / "blobs" / ".huggingface-shared-blobs").write_text("2\n")
    shutil.copytree(source / "models--acme--xet-base", hub / "models--acme--xet-base", symlinks=True)
