#!/usr/bin/env python3
"""Make a real ir_datasets home with the real ir_datasets library.

    python make_ir.py OUT_DIR

Writes OUT_DIR/home/.ir_datasets (the cache), OUT_DIR/tmp/ir_datasets (what IR_DATASETS_TMP points at), OUT_DIR/outside-ir
(corpora that belong to the user and are only linked from the cache) and OUT_DIR/expected/ir.json.

_ir_content.py is what is downloaded, _ir_work.py what the library does. Partial files come from killing a process that
is using the library, never from writing a file that looks partial. What a user, not the library, puts there is made
here too, and is listed under "user_made" in expected/ir.json: symbolic links to corpora, a corpus moved into place, a
credentials file, a local mirror, a foreign folder.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from _ir_content import HOST, STALLS, address, gov2_bundle, jsonl, os_noise, served  # noqa: E402
from _ircommon import (  # noqa: E402
    Loopback,
    copytree,
    du,
    fresh,
    gz,
    listing,
    md5,
    pin_mtimes,
    wait_quiet,
    words,
    worker_env,
    write_expected,
)

HERE = Path(__file__).resolve().parent


def main(out: Path) -> None:
    out = out.resolve()
    home = out / "home" / ".ir_datasets"
    tmp = out / "tmp" / "ir_datasets"
    outside = out / "outside-ir"
    scratch = out / "scratch-ir"
    for p in (home, tmp, outside, scratch):
        fresh(p)
    home.mkdir(parents=True)
    tmp.mkdir(parents=True)
    user_made: list[dict] = []

    def user(path: Path, why: str, target: Path | None = None, data: bytes = b""):
        path.parent.mkdir(parents=True, exist_ok=True)
        if target is not None:
            path.symlink_to(os.path.relpath(target, path.parent))
        else:
            path.write_bytes(data)
        user_made.append(
            {"path": path.relative_to(home).as_posix(), "why": why}
            | ({"target": target.relative_to(out).as_posix()} if target else {})
        )

    # what belongs to the user: corpora outside, reached through links
    bundle, urls = gov2_bundle()
    (outside / "GOV2" / "GOV2_data" / "GX000").mkdir(parents=True)
    (outside / "GOV2" / "GOV2_extras").mkdir()
    (outside / "GOV2" / "GOV2_data" / "GX000" / "00.gz").write_bytes(bundle)
    (outside / "GOV2" / "GOV2_extras" / "url2id.gz").write_bytes(urls)
    (outside / "hc4_rus.jsonl").write_bytes(
        jsonl(
            {
                "id": f"h{i}",
                "title": words(f"ht{i}", 5),
                "text": words(f"h{i}", 40),
                "url": f"http://example.test/{i}",
                "time": "2020",
                "cc_file": "x",
            }
            for i in range(120)
        )
    )
    (outside / "TREC45" / "FBIS").mkdir(parents=True)
    (outside / "TREC45" / "FBIS" / "FB396001").write_bytes(b"licensed text\n" * 200)
    (outside / "antique-collection.txt").write_bytes(served()["antique", "docs"])
    antique_md5 = md5(served()["antique", "docs"])
    user(home / "gov2" / "corpus", "instructions item: linked corpus", outside / "GOV2")
    user(
        home / "hc4" / "rus" / "hc4_docs.jsonl",
        "instructions item: linked file",
        outside / "hc4_rus.jsonl",
    )
    user(
        home / "disks45" / "corpus",
        "instructions item: linked corpus",
        outside / "TREC45",
    )
    user(
        home / "trec-arabic" / "corpus.tgz",
        "instructions item: link whose target is gone",
        outside / "unplugged" / "corpus.tgz",
    )
    user(
        home / "downloads" / antique_md5,
        "local mirror of a downloadable file, named by MD5",
        outside / "antique-collection.txt",
    )
    user(
        home / "codec" / "v1" / "comets_documents.jsonl",
        "instructions item: the only copy, moved into place",
        data=jsonl(
            {
                "id": f"c{i}",
                "title": words(f"kt{i}", 5),
                "contents": words(f"k{i}", 50),
                "url": f"http://example.test/{i}",
            }
            for i in range(150)
        ),
    )
    user(
        home / "wapo" / "WashingtonPost.v2.tar.gz",
        "instructions item: the only copy, no store built from it",
        data=gz(os_noise(20_000)),
    )
    user(
        home / "aol-ia" / "downloaded_docs" / "part-00.jsonl.lz4",
        "written by a separate download script that takes days",
        data=os_noise(5_000),
    )
    (outside / "bigdisk" / "cord19" / "2020-07-16").mkdir(parents=True)
    (outside / "bigdisk" / "cord19" / "2020-07-16" / "metadata.csv").write_bytes(
        os_noise(3_000)
    )
    user(
        home / "cord19",
        "a whole dataset folder moved to another disk and linked back",
        outside / "bigdisk" / "cord19",
    )
    user(home / "auth" / "example", "credentials", data=b"somebody\nsecret\n")
    user(home / "notes" / "todo.txt", "a folder that is no dataset", data=b"mine\n")

    files = {address(*k): v for k, v in served().items()}
    files[f"{HOST}/cache-partial.txt"] = os_noise(400_000)
    report = out / "scratch-report.json"
    with Loopback(files, STALLS) as net:
        env = worker_env(
            out,
            net.proxy,
            IR_DATASETS_TMP=str(tmp),
            IR_DATASETS_SMALL_FILE_SIZE="20000",
            IR_DATASETS_DL_DISABLE_PBAR="true",
        )

        def start(kind):
            return subprocess.Popen(
                [sys.executable, HERE / "_ir_work.py", kind, str(report)],
                env=env,
                cwd=out,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

        p = start("build")
        p.communicate()
        if p.returncode:
            sys.exit("the build worker failed: run it by hand to see why")
        seen = json.loads(report.read_text())
        report.unlink()

        ready = {
            "download": lambda: (home / "nfcorpus" / "nfcorpus.tar.gz.tmp").exists(),
            "cache": lambda: (home / "cranfield" / "extra.txt.tmp0").exists(),
            "docstore": lambda: (home / "cranfield" / "docs.pklz4" / "bin").exists(),
            "tmp": lambda: any(tmp.glob("*.tmp")),
            "tweets": lambda: any((home / "tweets2013-ia").rglob("*.lz4")),
        }
        for kind, is_ready in ready.items():
            p = start(kind)
            wait_quiet(out, lambda: is_ready() and p.poll() is None)
            p.send_signal(signal.SIGKILL)
            p.wait()
            p.stdout.close()

    pin_mtimes(home)
    pin_mtimes(tmp)
    pin_mtimes(outside)

    # ------------------------------------------------ what the library says of it
    def cli(at: Path, *args, **kw):
        return subprocess.run(
            [sys.executable, "-m", "ir_datasets", *args],
            env=worker_env(out, IR_DATASETS_HOME=str(at), IR_DATASETS_TMP=str(tmp)),
            cwd=out,
            capture_output=True,
            text=True,
            **kw,
        )

    def rows(text):
        return {
            ds: {"bytes": int(size), "files": int(n)}
            for size, n, ds in re.findall(r"^(\d+)\t(\d+) files\t(\S+)$", text, re.M)
        }

    every = cli(home, "clean", "--list", "-H")
    last = every.stderr.strip().splitlines()
    tops = sorted(p.name for p in home.iterdir() if p.is_dir())
    known = cli(home, "list").stdout.split()
    top_known = {d for d in known if "/" not in d}
    one_by_one, unknown = {}, []
    for ds in tops:
        r = cli(home, "clean", "--list", "-H", ds)
        if "Skipping unknown dataset" in r.stdout:
            unknown.append(ds)
        one_by_one |= rows(r.stdout)

    cleaned = {}
    for ds in sorted(one_by_one):
        # the links are relative: beside its copy of outside-ir, the copied home
        # reaches the copies, so even a library that follows a link harms nothing
        at = scratch / "home" / ".ir_datasets"
        copytree(home, at)
        copytree(outside, scratch / outside.name)
        before = {r["path"]: r for r in listing(at)}
        outer = {r["path"] for r in listing(scratch / outside.name)}
        cli(at, "clean", "--yes", ds)
        after = {r["path"] for r in listing(at)}
        gone = sorted(set(before) - after)
        lost = sorted(outer - {r["path"] for r in listing(scratch / outside.name)})
        cleaned[ds] = {
            "removed_files": [g for g in gone if before[g]["kind"] == "file"],
            "removed_links": [g for g in gone if before[g]["kind"] == "symlink"],
            "removed_dirs": [g for g in gone if before[g]["kind"] == "dir"],
            "kept_below": sorted(p for p in after if p.startswith(f"{ds}/")),
            "removed_outside_the_home": lost,
            "bytes_freed": sum(before[g].get("size", 0) for g in gone),
        }
        subprocess.run(["rm", "-rf", str(scratch)], check=True)
    pin_mtimes(home)
    pin_mtimes(tmp)

    spec = importlib.util.find_spec("ir_datasets")
    table = json.loads(
        (Path(spec.submodule_search_locations[0]) / "etc/downloads.json").read_text()
    )
    manual = {
        ds: sorted(x["cache_path"] for x in items.values() if "instructions" in x)
        for ds, items in table.items()
        if any("instructions" in x for x in items.values())
    }
    write_expected(
        out,
        "ir",
        {
            "library": {"ir_datasets": importlib.metadata.version("ir_datasets")},
            "roots": {
                "home": "home/.ir_datasets",
                "tmp": "tmp/ir_datasets",
                "outside": "outside-ir",
            },
            "user_made": sorted(user_made, key=lambda r: r["path"]),
            "manual_items": manual,
            "known_top_level": sorted(top_known),
            "clean_list_all": {
                "returncode": every.returncode,
                "last_line": last[-1] if last else "",
                "rows": rows(every.stdout),
            },
            "clean_list_each": one_by_one,
            "clean_refuses": unknown,
            "clean_yes": cleaned,
            "seen": seen,
            "tree": listing(home),
            "tmp_tree": listing(tmp),
            "outside_tree": listing(outside),
            "bytes": {"home": du(home), "tmp": du(tmp), "outside": du(outside)},
        },
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
