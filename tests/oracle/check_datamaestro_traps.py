"""What datamaestro does not tell its users: downloads that it takes for whole, links that it never checks again, an
address that it refuses. dscc says so, and what it removes there makes datamaestro right again."""

import fcntl
import shutil
import signal
import subprocess
import time
from pathlib import Path

from _dm_definitions import HOST, STALLS
from _dm_library import COMMAND_LINE
from check_datamaestro import LETTERS, LINKED, MAIN, SMALL, TRAIN, bench, clean, folder_of
from sandbox import Lab, entries, snapshot

HALF, KILLED = "org.sample.half", "org.sample.killed"


def checks(lab: Lab, _homes):
    yield "datamaestro: what needs refuse would be taken for whole without its data", lambda: adopted(lab)
    yield "datamaestro: a file's dataset around another goes by force, and comes back", lambda: forced_file(lab)
    yield "datamaestro: an archive that was killed comes back once its leftover is gone", lambda: killed_archive(lab)
    yield "datamaestro: what can be resumed goes alone, and the rest stays", lambda: unfinished(lab)
    yield "datamaestro: a link to what is gone is stale, and is made anew once it is gone", lambda: dangling(lab)
    yield "datamaestro: downloads in progress, kept and done can go", lambda: downloads(lab)
    yield "datamaestro: an address that is not its name's is refused until it is gone", lambda: wrong_address(lab)
    yield "datamaestro: a running download is in use", lambda: running(lab)


def adopted(lab: Lab) -> list[str]:
    """The sheet's trial, by force: the refusal is no mere caution."""
    with bench(lab) as (home, library):
        run = lab.run(home, "clean", LETTERS, "--force", "needed", "-y", "--json")
        done, report = library.ask(LETTERS, "report")
        is_adopted = done is True and report["datasets"][LETTERS]["prepared"]
        readme = (home / folder_of(LETTERS) / "README").exists()
        fine = run.status == 0 and is_adopted and not readme and report["datasets"][TRAIN]["prepared"]
        return [] if fine else [f"{run}, {done}, {report['datasets'][LETTERS]}"]


def forced_file(lab: Lab) -> list[str]:
    with bench(lab) as (home, library):
        run = lab.run(home, "clean", TRAIN, "--force", "needed", "-y", "--json")
        absent, done, report = library.ask("report", TRAIN, "report")
        fine = not absent["datasets"][TRAIN]["prepared"] and absent["datasets"][SMALL]["prepared"]
        fine = fine and done is True and (home / folder_of(TRAIN) / "train.tsv").exists()
        return [] if fine and run.status == 0 else [f"{run}, {done}, {report['datasets'][TRAIN]}"]


def killed_archive(lab: Lab) -> list[str]:
    """The folder for what is not complete counts as content: the first download after it brings nothing."""
    results = {}
    for cleaned in (False, True):
        with bench(lab) as (home, library):
            folder = home / folder_of(LETTERS)
            shutil.rmtree(folder)
            (folder / ".downloads").mkdir(parents=True)
            (folder / ".state.lock").touch()
            row = entries(lab.run(home, "show", LETTERS, "--json"))[LETTERS]
            if not any("takes what is left here" in it for it in row["attributes"].get("warning", [])):
                return [f"no word of it in {row}"]
            if cleaned:
                run = clean(lab, home, f"{LETTERS}@unfinished")
                if run.status or folder.exists():
                    return [f"{run}\n{run.stdout[:1000]}"]
            results[cleaned] = (library.ask(LETTERS)[0], (folder / "README").exists())
    return [] if results == {False: (True, False), True: (True, True)} else [f"{results}"]


def unfinished(lab: Lab) -> list[str]:
    with bench(lab) as (home, library):
        folder, before = home / folder_of(HALF), library.report()["datasets"][HALF]
        run = clean(lab, home, f"{HALF}@unfinished")
        left = sorted(path.name for path in folder.iterdir())
        now, done, then = library.ask("report", HALF, "report")
        same = now["datasets"][HALF] == before == then["datasets"][HALF]
        fine = run.status == 0 and left == [".state.json", ".state.lock", "first.tsv"] and same and done is False
        return [] if fine else [f"{run}, {left}, {done}, {then['datasets'][HALF]}"]


def dangling(lab: Lab) -> list[str]:
    with bench(lab) as (home, library):
        shutil.rmtree(home / folder_of(LETTERS))
        answer = lab.run(home, "show", LINKED, "--json")
        row, before = entries(answer)[LINKED], library.ask(LINKED, "report")
        link = home / folder_of(LINKED) / "train"
        unaware = before[0] is True and before[1]["datasets"][LINKED]["prepared"] and not link.exists()
        run = clean(lab, home, LINKED)
        absent, done = library.ask("report", LINKED)
        fine = row["state"] == "stale" and row["reclaim"] and unaware and run.status == 0
        fine = fine and not absent["datasets"][LINKED]["prepared"] and done is True and link.exists()
        return [] if fine else [f"{row}, {before[0]}, {run}, {done}, {link.exists()}"]


def downloads(lab: Lab) -> list[str]:
    problems = []
    with bench(lab) as (home, library):
        baseline = library.report()
        ids = list(entries(lab.run(home, "show", "-c", "datamaestro-cache", "--json")))
        for entry in ids:
            before = snapshot(home)
            run = clean(lab, home, entry, cache="datamaestro-cache")
            lost = before.keys() - snapshot(home).keys()
            prefix = f"{MAIN}/cache/{entry.rpartition('@')[2]}"
            if run.status or not lost or not all(path.startswith(prefix) for path in lost - {f"{MAIN}/cache"}):
                problems.append(f"{entry}: {sorted(lost)} {run}")
        if library.report() != baseline:
            problems.append("the library has other datasets than before")
        if library.ask(KILLED, "org.sample.variants") != [True, True]:
            problems.append("the library does not download any more")
    return problems


def wrong_address(lab: Lab) -> list[str]:
    with bench(lab) as (home, library):
        [address] = [p for p in (home / MAIN / "cache").glob("*.url") if p.read_text() == f"{HOST}/killed.bin"]
        address.write_text("")
        rows = entries(lab.run(home, "show", "-c", "datamaestro-cache", "--json"))
        [row] = [row for row in rows.values() if address.name in row["paths"]]
        refused = library.ask(KILLED)
        young = address.parent.glob(f"{address.stem}.*")
        for path in young:  # what is young stays for a while
            subprocess.run(["touch", "-d", "2024-01-01", path], check=True)
        run = clean(lab, home, row["id"], cache="datamaestro-cache")
        done = library.ask(KILLED)
        fine = row["state"] == "broken" and row["reclaim"] and refused == [False] and done == [True]
        return [] if fine and run.status == 0 else [f"{row}, {refused}, {run}\n{run.stdout[:1000]}, {done}"]


def running(lab: Lab) -> list[str]:
    with bench(lab, STALLS) as (home, library):
        command, where = library.process(COMMAND_LINE, "download", KILLED)
        process = subprocess.Popen(command, **where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_lock(home / folder_of(KILLED) / ".state.lock")
            before = snapshot(home / folder_of(KILLED))
            run = clean(lab, home, KILLED)
            same = snapshot(home / folder_of(KILLED)) == before
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        reasons = [row["reason"] for row in run.json["keep"]]
        fine = run.status == 3 and len(reasons) == 1 and "in use" in reasons[0] and same
        return [] if fine else [f"{run}, {reasons}"]


def wait_for_lock(lock: Path) -> None:
    for _ in range(600):
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        time.sleep(0.05)
    raise AssertionError("datamaestro takes no lock")
