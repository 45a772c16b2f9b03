"""The real libraries' own answers about the caches that make_hf.py made: expected/*.json.

Paths are relative to the hub cache (or to the library's cache folder), "/"-separated; {cache} stands for that folder
in messages. Nothing in here computes a cache answer by itself: sizes, plans and deletions are huggingface_hub's own.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from itertools import chain, combinations
from pathlib import Path

from _hf_damage import HUB, make_broken


def write_expected(maker) -> None:
    expected = maker.out / "expected"
    expected.mkdir()
    make_broken(maker)
    maker.set_ages()

    def write(name: str, value) -> None:
        (expected / name).write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n")

    for name, home, pairs in [
        ("hub", "home", True),
        ("hub-nosymlink", "nosymlink", True),
        ("hub-broken", "broken", False),
    ]:
        print("oracle", name, flush=True)
        write(f"{name}.json", hub_answers(maker.out / home, maker, pairs))
    print("oracle cli, integrity, renamed, paths, datasets, transformers", flush=True)
    write("hub-renamed.json", renamed_answers(maker))
    write("cli.json", cli_answers(maker))
    write("integrity.json", {home: integrity(maker.out / home / HUB) for home in ("home", "nosymlink", "broken")})
    write("paths.json", path_answers(maker))
    maker.stage("datasets_answers", expected / "datasets.json")
    maker.stage("transformers_answers", expected / "transformers-legacy.json", legacy=True)
    maker.set_ages()  # reading changed the access times


# ---------------------------------------------------------------- listing


def listing(root: Path) -> dict[str, dict]:
    """Every file, folder and link under root, by relative path."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(folder, name)
            entry = found[path.relative_to(root).as_posix()] = {}
            if path.is_symlink():
                entry |= {"kind": "link", "target": os.readlink(path)}
            elif path.is_dir():
                entry["kind"] = "dir"
            else:
                entry |= {"kind": "file", "size": path.stat().st_size}
    return found


def contents(root: Path, paths: dict[str, dict]) -> dict[str, str]:
    """Digests of the small files, to notice those rewritten in place."""
    return {
        p: hashlib.sha256((root / p).read_bytes()).hexdigest()
        for p, e in paths.items()
        if e["kind"] == "file" and e["size"] < 10_000
    }


def relative(path: Path, cache: Path) -> str:
    return Path(os.path.relpath(path, cache)).as_posix()


# ---------------------------------------------------------------- huggingface_hub


def scan(cache: Path) -> dict:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.utils._shared_blobs import unreferenced_shared_blobs

    info = scan_cache_dir(cache)
    return {
        "size_on_disk": info.size_on_disk,
        "incomplete_size_on_disk": info.incomplete_size_on_disk,
        "incomplete_files": {relative(f.file_path, cache): f.size_on_disk for f in info.incomplete_files},
        "unreferenced_shared_blobs": {relative(p, cache): size for p, size in unreferenced_shared_blobs(cache).items()},
        "warnings": sorted(str(w).replace(str(cache), "{cache}") for w in info.warnings),
        "repos": [
            {
                "repo_type": repo.repo_type,
                "repo_id": repo.repo_id,
                "path": relative(repo.repo_path, cache),
                "size_on_disk": repo.size_on_disk,
                "nb_files": repo.nb_files,
                "last_accessed": repo.last_accessed,
                "last_modified": repo.last_modified,
                "refs": {ref: revision.commit_hash for ref, revision in repo.refs.items()},
                "revisions": [
                    {
                        "commit_hash": revision.commit_hash,
                        "refs": sorted(revision.refs),
                        "size_on_disk": revision.size_on_disk,
                        "nb_files": revision.nb_files,
                        "last_modified": revision.last_modified,
                        "files": [
                            {
                                "path": relative(f.file_path, revision.snapshot_path),
                                "blob": relative(f.blob_path, cache),
                                "size": f.size_on_disk,
                            }
                            for f in sorted(revision.files, key=lambda f: f.file_path)
                        ],
                    }
                    for revision in sorted(repo.revisions, key=lambda r: r.commit_hash)
                ],
            }
            for repo in sorted(info.repos, key=lambda r: r.repo_path)
        ],
    }


def run_cli(*args: str, home: Path, maker, **env: str) -> dict:
    """The `hf` command, offline except for the fake Hub."""
    command = [sys.executable, "-c", "from huggingface_hub.cli.hf import main; main()", *args]
    done = subprocess.run(
        command, env=maker.environment(home, **env), cwd=maker.scratch, capture_output=True, text=True
    )
    return {"exit_code": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def scenarios(cache: Path, pairs: bool) -> list[dict]:
    """What gets deleted: each revision, each repo, pairs, files, everything, prune."""
    from huggingface_hub import scan_cache_dir

    repos = sorted(scan_cache_dir(cache).repos, key=lambda r: r.repo_path)
    hashes = {repo.cache_id: sorted(r.commit_hash for r in repo.revisions) for repo in repos}
    found = [{"kind": "prune"}]
    for repo_id, revisions in hashes.items():
        found += [{"kind": "revisions", "revisions": [r]} for r in revisions if len(revisions) > 1]
        found += [
            {"kind": "revisions", "revisions": list(pair)}
            for pair in combinations(revisions, 2)
            if pairs and len(revisions) > 2
        ]
        found.append({"kind": "revisions", "whole_repo": repo_id, "revisions": revisions})
    if pairs:
        shared = [repo_id for repo_id in hashes if "/acme/xet-" in repo_id]
        found += [{"kind": "revisions", "revisions": sorted(hashes[a] + hashes[b])} for a, b in combinations(shared, 2)]
        several = [revisions for revisions in hashes.values() if len(revisions) > 1]
        found += [{"kind": "revisions", "revisions": sorted({a[0], b[-1]})} for a, b in combinations(several, 2)]
    found.append({"kind": "revisions", "revisions": sorted(chain.from_iterable(hashes.values())), "everything": True})
    for repo in repos:
        names = {relative(f.file_path, r.snapshot_path) for r in repo.revisions for f in r.files}
        if len(names) < 100 and (pairs or "precious.bin" in names):
            found += [
                {"kind": "files", "uris": [f"hf://{repo.repo_type}s/{repo.repo_id}/{name}"]} for name in sorted(names)
            ]
    return found


def copy_tree(source: Path, target: Path) -> Path:
    """A copy made of hard links: fast, and the access times of the source stay (no library writes in place)."""
    return Path(shutil.copytree(source, target, symlinks=True, copy_function=os.link))


def play(scenario: dict, home: Path, where: Path, maker, before: dict, digests: dict) -> dict:
    """Execute one scenario on a copy, and tell what changed."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.cli.cache import _resolve_deletion_targets

    copy = maker.scratch / "copy"
    copy_tree(home / where, copy / where)
    cache, result = copy / HUB, dict(scenario)
    if scenario["kind"] == "prune":
        answer = run_cli(
            "cache",
            "prune",
            "--yes",
            "--format",
            "json",
            "--cache-dir",
            str(cache),
            home=maker.scratch / "nobody",
            maker=maker,
        )
        assert answer["exit_code"] == 0, answer
        result["cli_result"] = json.loads(answer["stdout"] or "null")
    else:
        info = scan_cache_dir(cache)
        strategy = (
            info.delete_revisions(*scenario["revisions"])
            if scenario["kind"] == "revisions"
            else info.delete_files(*_resolve_deletion_targets(info, scenario["uris"]).files)
        )
        strategy.execute()
        result["expected_freed_size"] = strategy.expected_freed_size
        result["strategy"] = {
            part: sorted(relative(p, copy / where) for p in getattr(strategy, part))
            for part in ("repos", "snapshots", "refs", "blobs", "files")
        }
    after = listing(copy / where)
    new_digests = contents(copy / where, after)
    result["removed"] = sorted(before.keys() - after.keys())
    result["added"] = sorted(after.keys() - before.keys())
    result["rewritten"] = {
        p: (copy / where / p).read_text()
        for p in sorted(new_digests.keys() & digests.keys())
        if new_digests[p] != digests[p]
    }
    result["bytes_really_freed"] = total(before) - total(after)
    shutil.rmtree(copy)
    return result


def total(entries: dict[str, dict]) -> int:
    return sum(entry.get("size", 0) for entry in entries.values())


def hub_answers(home: Path, maker, pairs: bool) -> dict:
    cache = home / HUB
    where = (
        Path(".") if (home / "outside").exists() else HUB
    )  # links may lead out of the cache: watch all of the home then
    scanned = scan(cache)  # first: reading files changes their access times
    before = listing(home / where)
    digests = contents(home / where, before)
    return {
        "paths_relative_to": where.as_posix(),
        "paths": before,
        "scan": scanned,
        "scenarios": [play(s, home, where, maker, before, digests) for s in scenarios(cache, pairs)],
    }


def renamed_answers(maker) -> dict:
    """One repo under two names. Which of the two folders `hf` deletes depends on Python's hash seed: try several."""
    home = maker.out / "renamed"
    before = listing(home / HUB)
    answers = {"paths": before, "scan": scan(home / HUB), "runs": []}
    for args in (["rm", "model/bert-mini"], ["prune"]):
        for seed in range(8):
            copy = maker.scratch / "copy"
            cache = copy_tree(home / HUB, copy / HUB)
            run_cli(
                "cache",
                *args,
                "--yes",
                "--cache-dir",
                str(cache),
                home=maker.scratch / "nobody",
                maker=maker,
                PYTHONHASHSEED=str(seed),
            )
            gone = before.keys() - listing(cache).keys()
            answers["runs"].append(
                {
                    "args": args,
                    "PYTHONHASHSEED": seed,
                    "removed_blobs_and_snapshots": sorted(p for p in gone if p.count("/") == 2),
                }
            )
            shutil.rmtree(copy)
    return answers


# ---------------------------------------------------------------- the rest


def cli_answers(maker) -> dict:
    calls = {
        "ls": ["cache", "ls", "--format", "json"],
        "ls --revisions": ["cache", "ls", "--revisions", "--format", "json"],
        "ls, quiet": ["cache", "ls", "--format", "quiet"],
        "prune --dry-run": ["cache", "prune", "--dry-run", "--format", "json"],
        "rm --dry-run": ["cache", "rm", "model/acme/tiny-bert", "--dry-run", "--format", "json"],
        "rm unknown": ["cache", "rm", "model/acme/unknown", "--yes", "--format", "json"],
        "rm of a corrupted repo": ["cache", "rm", "model/acme/filtered-out", "--yes", "--format", "json"],
        "verify": ["cache", "verify", "acme/tiny-bert", "--format", "json"],
    }
    answers = {}
    for name, args in calls.items():
        answer = run_cli(*args, home=maker.home, maker=maker)
        answers[name] = {"args": args} | {
            k: v.replace(str(maker.home), "{home}") if isinstance(v, str) else v for k, v in answer.items()
        }
    return answers


def integrity(cache: Path) -> dict:
    """Is the content of every blob the one that its name announces? Hashes by the library's own function."""
    from huggingface_hub.utils._verification import compute_file_hash

    verdicts = {}
    for blob in sorted(cache.glob("*--*/blobs/*")):
        algorithm = {40: "git-sha1", 64: "sha256"}.get(len(blob.name))
        if algorithm and blob.is_file():
            verdicts[relative(blob, cache)] = {
                "algorithm": algorithm,
                "ok": compute_file_hash(blob, algorithm) == blob.name,
            }
    return verdicts


PATH_CASES = [  # {abs} is some absolute folder
    {},
    {"XDG_CACHE_HOME": "{abs}/xdg"},
    {"XDG_CACHE_HOME": "~/xdg"},
    {"XDG_CACHE_HOME": "$HOME/xdg"},
    {"XDG_CACHE_HOME": ""},
    {"HF_HOME": "{abs}/hf"},
    {"HF_HOME": "~/hf"},
    {"HF_HOME": "$HOME/hf"},
    {"HF_HOME": "~/${SUB}/hf", "SUB": "s"},
    {"HF_HOME": "rel/hf"},
    {"HF_HOME": ""},
    {"HF_HOME": "{abs}/hf", "XDG_CACHE_HOME": "{abs}/xdg"},
    {"HF_HUB_CACHE": "~/hub"},
    {"HF_HUB_CACHE": "$HOME/hub"},
    {"HF_HUB_CACHE": ""},
    {"HUGGINGFACE_HUB_CACHE": "~/old"},
    {"HF_HUB_CACHE": "{abs}/new", "HUGGINGFACE_HUB_CACHE": "{abs}/old"},
    {"HF_ASSETS_CACHE": "~/a"},
    {"HUGGINGFACE_ASSETS_CACHE": "$HOME/a"},
    {"HF_TOKEN_PATH": "~/secrets/token"},
    {"HF_XET_CACHE": "~/xet"},
    {"HF_XET_CACHE": "$HOME/xet"},
    {"HF_XET_CACHE": "{abs}/xet"},
    {"HF_DATASETS_CACHE": "~/ds"},
    {"HF_DATASETS_CACHE": "$HOME/ds"},
    {"HF_DATASETS_CACHE": "{abs}/ds", "HF_DATASETS_DOWNLOADED_DATASETS_PATH": "{abs}/dl"},
    {"HF_DATASETS_DOWNLOADED_DATASETS_PATH": "{abs}/dl"},
    {"HF_DATASETS_EXTRACTED_DATASETS_PATH": "{abs}/ex"},
    {"HF_MODULES_CACHE": "~/mod"},
    {"TRANSFORMERS_CACHE": "~/tf"},
    {"PYTORCH_TRANSFORMERS_CACHE": "{abs}/pt"},
    {"PYTORCH_PRETRAINED_BERT_CACHE": "{abs}/bert"},
    {
        "HF_HOME": "{abs}/hf",
        "TRANSFORMERS_CACHE": "{abs}/tf",
        "PYTORCH_TRANSFORMERS_CACHE": "{abs}/pt",
        "PYTORCH_PRETRAINED_BERT_CACHE": "{abs}/bert",
    },
    {"HUGGINGFACE_CO_STAGING": "1"},
]


def path_answers(maker) -> list[dict]:
    """Where each library looks, for many settings of the environment. HOME is written as /home/user, the working folder
    as /cwd, {abs} as /abs."""
    work = maker.scratch / "paths"
    home, cwd, absolute = work / "home", work / "cwd", work / "abs"
    for folder in (home, cwd, absolute):
        folder.mkdir(parents=True)
    cases, replies = work / "cases.json", work / "replies.json"
    cases.write_text(
        json.dumps([{k: v.replace("{abs}", str(absolute)) for k, v in case.items()} for case in PATH_CASES])
    )
    answers = [{"env": {k: v.replace("{abs}", "/abs") for k, v in case.items()}} for case in PATH_CASES]
    for which, legacy in [("current", False), ("legacy", True)]:
        maker.stage("paths", cases, replies, which, home=home, legacy=legacy, cwd=cwd)
        found = (
            replies.read_text()
            .replace(str(home), "/home/user")
            .replace(str(cwd), "/cwd")
            .replace(str(absolute), "/abs")
        )
        for answer, reply in zip(answers, json.loads(found), strict=True):
            answer |= reply
    return answers
