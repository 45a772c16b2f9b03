"""Assets, Xet, copies of code, Evaluate and metrics: what the real libraries made is found, what goes they make again, and
what stays they still use.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from check_clean import same
from check_recount import recount
from facts import Facts
from sandbox import Lab, entries, snapshot, tree_of, weigh

HF = ".cache/huggingface"
SECRETS = ("token", "stored_tokens", "accelerate")
MODEL = "transformers/acme/custom-code"
SCRIPT = "datasets/acme/scripted"
NOBODY = "http://127.0.0.1:9"  # nothing listens there
METRIC = """
import datasets
import evaluate


class Right(evaluate.Metric):
    def _info(self):
        kinds = {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
        return evaluate.MetricInfo("", "", datasets.Features(kinds), "")

    def _compute(self, predictions, references):
        return {"right": sum(one == other for one, other in zip(predictions, references))}
"""


def checks(lab: Lab, _homes: dict[str, Facts]):
    for cache in ("assets", "xet", "modules"):
        yield f"every byte is counted once: {cache}", partial(counted, lab, cache)
    yield "asset folders are found, and stay until they are named", partial(assets, lab)
    yield "the folders of Xet go, and the library makes them again", partial(xet, lab)
    yield "an upload that was killed has something staged, which stays until it is named", partial(staged, lab)
    yield "the code of a model goes, and Transformers copies it again", partial(code_again, lab)
    yield "an edit of a model's code works, and stays until it is named", partial(code_edited, lab)
    yield "a script of Datasets goes, and the old library still has what it prepared", partial(script_gone, lab)
    yield "an edit of a script stays until it is named", partial(script_edited, lab)
    yield "results of metrics are kept while they are computed, and go when they were broken off", partial(metric, lab)
    yield "a download of Evaluate goes, and comes again", partial(download, lab)
    yield "`clean --all` by every force leaves credentials and settings", partial(secrets, lab)


# ---------------------------------------------------------------- the library


def command(lab: Lab, home: Path, args: tuple, old: bool, settings: dict) -> dict:
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": str(lab.scratch)}
    env |= {"HF_HUB_OFFLINE": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0", "PYTHONDONTWRITEBYTECODE": "1"} | settings
    env["PYTHONPATH"] = str(Path(sys.prefix) / ("hf-legacy" if old else "hf-evaluate"))
    script = str(Path(__file__).with_name("home_library.py"))
    return {"args": [sys.executable, *(["-S"] if old else []), script, *args], "env": env, "cwd": lab.scratch}


def ask(lab: Lab, home: Path, *args: str, old: bool = False, **settings: str):
    done = subprocess.run(**command(lab, home, args, old, settings), capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise AssertionError(f"{args}: {done.stderr.strip()[-800:]}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def running(lab: Lab, home: Path, *args: str):
    """A process of the library that is in the midst of it; killed at the end."""
    process = subprocess.Popen(
        **command(lab, home, args, False, {}), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert json.loads(process.stdout.readline()) == "ready", args
        yield
    finally:
        process.kill()
        process.wait()


# ---------------------------------------------------------------- what dscc is asked


def clean(lab: Lab, home: Path, *args: str) -> dict:
    """Where all of it stays, that is no success."""
    run = lab.run(home, "clean", *args, "-y", "--json")
    if run.status != (0 if run.json["remove"] else 3) or run.json["failed"]:
        raise AssertionError(f"{run}\n{run.stdout[:1500]}")
    return run.json


def show(lab: Lab, home: Path, cache: str) -> dict[str, dict]:
    return entries(lab.run(home, "show", "-c", cache, "--children", "--json"))


def kept(document: dict) -> list[str]:
    return sorted(item["id"] for item in document["keep"])


def of(row: dict, *keys: str) -> tuple:
    return tuple(row[key] for key in keys)


def counted(lab: Lab, cache: str) -> list[str]:
    with lab.home("home", HF) as home:
        return recount(lab, home, cache, shares=cache == "modules")


# ---------------------------------------------------------------- checks


def assets(lab: Lab) -> list[str]:
    names = {
        "datasets / acme/SQuAD / downloaded": "datasets/acme--SQuAD/downloaded",
        "datasets / acme/SQuAD / extracted": "datasets/acme--SQuAD/extracted",
        "datasets / Helsinki-NLP/tatoeba mt": "datasets/Helsinki-NLP--tatoeba--mt/default",
        "acme lib": "acme--lib/default/default",
    }
    with lab.home("home", f"{HF}/assets") as home:
        before, content = snapshot(home / HF / "assets"), ask(lab, home, "assets", *names)
        rows = show(lab, home, "assets")
        problems = same("asset folders", sorted(i for i in rows if i.count("/") == 2), sorted(names.values()))
        for entry_id, row in rows.items():
            size = weigh(n for p, n in before.items() if p in tree_of(before, entry_id))
            problems += same(entry_id, of(row, "size", "recovery", "state"), (size, "uncertain", "complete"))
        default = clean(lab, home, "-c", "assets")
        problems += same("stays by default", kept(default), ["acme--lib", "datasets"])
        problems += same("changed by default", snapshot(home / HF / "assets") == before, True)
        gone = "datasets / acme/SQuAD / extracted"
        clean(lab, home, f"assets:{names[gone]}")
        problems += same("removed", set(before) - set(snapshot(home / HF / "assets")), tree_of(before, names[gone]))
        return problems + same("library", ask(lab, home, "assets", *names), content | {gone: []})


def xet(lab: Lab) -> list[str]:
    with lab.home("home", f"{HF}/xet") as home:
        before = snapshot(home / HF / "xet")
        rows = show(lab, home, "xet")
        found = {p for row in rows.values() for path in row["paths"] for p in tree_of(before, path)}
        problems = same("unclaimed", sorted(p for p in set(before) - found if before[p].kind != "dir"), [])
        logs = [row for row in rows.values() if row["kind"] == "log"]
        problems += same("logs with a time", [bool(row["created"]) for row in logs], [True] * len(logs))
        clean(lab, home, "-c", "xet")
        problems += same("left", list((home / HF / "xet").iterdir()), [])
        ask(lab, home, "xet", NOBODY)
        made = sorted(row["kind"] for row in show(lab, home, "xet").values())
        return problems + same("made again", made, ["log", "logs", "shards", "staging"])


def staged(lab: Lab) -> list[str]:
    with lab.home("home", f"{HF}/xet") as home:
        shutil.rmtree(home / HF / "xet")
        with running(lab, home, "xet_stuck", NOBODY):
            pass
        (staging,) = [row for row in show(lab, home, "xet").values() if row["kind"] == "staging"]
        problems = same("staging", of(staging, "state", "recovery", "reclaim"), ("partial", "uncertain", None))
        problems += same("stays by default", kept(clean(lab, home, "-c", "xet")), [staging["id"]])
        clean(lab, home, staging["id"])
        problems += same("left", list((home / HF / "xet").iterdir()), [])
        return problems + same("another upload", ask(lab, home, "xet", NOBODY), "done")


def code_again(lab: Lab) -> list[str]:
    with lab.home("home", HF) as home:
        before = snapshot(home / HF / "modules")
        rows = show(lab, home, "modules")
        (copy,) = [row for row in rows.values() if row["parent"] == MODEL]
        problems = same("recovery", of(copy, "recovery", "attributes")[0], "download")
        problems += same("revision", copy["id"], f"{MODEL}@{copy['attributes']['revision'][0]}")
        clean(lab, home, copy["id"])
        after = snapshot(home / HF / "modules")
        expected = tree_of(before, "transformers_modules")
        problems += same("removed", sorted(set(before) - set(after)), sorted(expected))
        problems += same("what is kept", [p for p in after if after[p] != before[p] and after[p].kind != "dir"], [])
        problems += same("answer", ask(lab, home, "remote_code"), 42)
        again = snapshot(home / HF / "modules")
        code = {p for p in before if p.endswith(".py") and p in expected}
        return problems + same("copied again", code, {p for p in again if p.endswith(".py") and p in expected})


def code_edited(lab: Lab) -> list[str]:
    with lab.home("home", HF) as home:
        (path,) = (home / HF / "modules/transformers_modules").rglob("configuration_custom.py")
        path.write_text(f"{path.read_text()}    edited = 'yes'\n")
        problems = same("the library uses the edit", ask(lab, home, "remote_code", "edited"), "yes")
        (copy,) = [row for row in show(lab, home, "modules").values() if row["parent"] == MODEL]
        problems += same("recovery", copy["recovery"], "uncertain")
        problems += same("stays by default", MODEL in kept(clean(lab, home, "-c", "modules")), True)
        problems += same("is still used", ask(lab, home, "remote_code", "edited"), "yes")
        clean(lab, home, copy["id"])
        return problems + same("left", list((home / HF / "modules").iterdir()), [])


def script_gone(lab: Lab) -> list[str]:
    offline = {"HF_DATASETS_OFFLINE": "1"}
    with lab.home("home", HF) as home:
        problems = same("before", ask(lab, home, "script", old=True, **offline), "scripted")
        (copy,) = [row for row in show(lab, home, "modules").values() if row["parent"] == SCRIPT]
        problems += same("recovery", copy["recovery"], "download")
        clean(lab, home, SCRIPT)
        problems += same("left", sorted((home / HF / "modules").rglob("*scripted*")), [])
        problems += same("other code", ask(lab, home, "remote_code"), 42)
        return problems + same("after", ask(lab, home, "script", old=True, **offline), "scripted")


def script_edited(lab: Lab) -> list[str]:
    with lab.home("home", f"{HF}/modules") as home:
        (path,) = (home / HF / "modules/datasets_modules").rglob("scripted.py")
        stat = path.stat()
        path.write_text(f"{path.read_text()}\nEDITED = True\n")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        (copy,) = [row for row in show(lab, home, "modules").values() if row["parent"] == SCRIPT]
        problems = same("recovery", copy["recovery"], "uncertain")
        return problems + same("stays by default", SCRIPT in kept(clean(lab, home, "-c", "modules")), True)


def metric(lab: Lab) -> list[str]:
    with lab.home("home", f"{HF}/modules") as home:
        script = home / "work/right/right.py"
        script.parent.mkdir(parents=True)
        script.write_text(METRIC)
        problems = same("metric", ask(lab, home, "metric", str(script)), {"right": 2})
        copy = next(row for row in show(lab, home, "modules").values() if row["parent"] == "evaluate/right")
        problems += same("its code", of(copy, "recovery", "attributes")[0], "uncertain")
        problems += same("its source", copy["attributes"]["source"], [str(script)])
        results = "right/default/default_experiment-1-0.arrow"
        with running(lab, home, "metric_stuck", str(script)):
            rows = show(lab, home, "metrics")
            problems += same("results", of(rows[results], "state", "recovery"), ("partial", "rebuild"))
            problems += same("in use", results in kept(clean(lab, home, "-c", "metrics")), True)
            problems += same("is there", (home / HF / "metrics" / results).exists(), True)
        problems += recount(lab, home, "metrics") + recount(lab, home, "modules", shares=True)
        clean(lab, home, "-c", "metrics")
        problems += same("left", list((home / HF / "metrics").iterdir()), [])
        clean(lab, home, copy["id"])
        return problems + same("again", ask(lab, home, "metric", str(script)), {"right": 2})


class Answers(BaseHTTPRequestHandler):
    """One file; its content, and so its tag, is the server's `content`."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("ETag", f'"{self.server.content}"')
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.server.content.encode())

    def log_message(self, *_args) -> None:
        pass


def download(lab: Lab) -> list[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.content = "old"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/data/words.txt"
    try:
        with lab.home("home", f"{HF}/assets") as home:
            problems = same("old", ask(lab, home, "download", url), "old")
            server.content = "newer"
            problems += same("new", ask(lab, home, "download", url), "newer")
            rows = show(lab, home, "evaluate").values()
            found = sorted((row["label"], row["state"], row["reclaim"] is not None, row["size"]) for row in rows)
            sizes = [3 + record(url, "old"), 5 + record(url, "newer")]
            expected = [("words.txt", "complete", False, sizes[1]), ("words.txt", "stale", True, sizes[0])]
            problems += same("rows", found, expected)
            problems += same("addresses", {row["attributes"]["url"][0] for row in rows}, {url})
            problems += recount(lab, home, "evaluate")
            clean(lab, home, next(row["id"] for row in rows if row["state"] == "stale"))
            server.content = "unreached"
            clean(lab, home, "-c", "evaluate")
            problems += same("left", list((home / HF / "evaluate").iterdir()), [])
            return problems + same("again", ask(lab, home, "download", url), "unreached")
    finally:
        server.shutdown()
        server.server_close()


def record(url: str, content: str) -> int:
    """The size of what Evaluate writes down of a download."""
    return len(json.dumps({"url": url, "etag": f'"{content}"'}))


def secrets(lab: Lab) -> list[str]:
    with lab.home("home", HF) as home:
        pools = home / HF / "sandbox/pools/one"
        pools.mkdir(parents=True)
        (pools / "host.json").write_text("{}")
        before = snapshot(home / HF)
        kept_places = {p for top in (*SECRETS, "sandbox") for p in tree_of(before, top)}
        lab.run(home, "clean", "--all", "-y", "--force", "irreplaceable", "--force", "needed")
        after = snapshot(home / HF)
        return same("changed", [p for p in sorted(kept_places) if after.get(p) != before[p]], [])
