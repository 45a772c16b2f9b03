"""ir_datasets: all that the real library made is found, it does without all that dscc removes, and what it could not do
without, or what is the user's, stays."""

import subprocess
import sys

from check_recount import recount
from ir_lab import HERE, ROOT, TABLE, IrLab, addresses
from sandbox import Lab, beneath, entries, few, snapshot, weigh

# What the kills of the corpus left, with the parts of each.
UNFINISHED = {
    "argsme@unfinished/1.0.json.tmp0": ["argsme/1.0.json.tmp0"],
    "cranfield@unfinished/docs.pklz4": ["cranfield/docs.pklz4"],
    "cranfield@unfinished/extra.txt.tmp0": ["cranfield/extra.txt.tmp0"],
    "nfcorpus@unfinished/collection.tsv.tmp0": ["nfcorpus/collection.tsv.tmp0"],
    "nfcorpus@unfinished/nfcorpus.tar.gz.tmp": ["nfcorpus/nfcorpus.tar.gz.tmp"],
    "tweets2013-ia@unfinished/corpus": ["tweets2013-ia/corpus"],
}

# What the library takes for complete by one of its parts: what is asked for, the entry, that part, and the others.
STORE = {"bin": b"", "bin.pos": bytes(8), "idx.doc_id.key": b"1", "idx.doc_id.pos": bytes(8), "idx.doc_id.meta": b"1 1"}
TOGETHER = [
    (
        "natural-questions/dev queries",
        "natural-questions@stores/docs.pklz4",
        {f"natural-questions/docs.pklz4/{name}": content for name, content in STORE.items()},
        {"natural-questions/dev.queries.tsv": b"1\tquestion\n"},
    ),
    (
        "aol-ia queries",
        "aol-ia@sources/logs",
        {"aol-ia/_built_logs": b""},
        {"aol-ia/queries.tsv": b"1\tquery\n", "aol-ia/qrels": b"", "aol-ia/log.pkl.lz4": b""},
    ),
    (
        "lotte/writing/dev/search queries",
        "lotte@extracted/lotte_extracted",
        {f"lotte/lotte_extracted/lotte/writing/dev/collection.tsv.pklz4/{name}": it for name, it in STORE.items()},
        {"lotte/lotte_extracted/lotte/writing/dev/questions.search.tsv": b"1\tquestion\n"},
    ),
]


def checks(lab: Lab, _homes: dict):
    ir = IrLab(lab)
    yield "the table of what ir_datasets makes is the library's", compare_table
    yield "show finds all that ir_datasets made, and nothing else", lambda: all_found(ir)
    yield "stores are those that ir_datasets can use", lambda: stores(ir)
    yield "what kills left is called so", lambda: unfinished(ir)
    yield "what users put there is irreplaceable", lambda: protected(ir)
    for cache, hidden in (("ir_datasets", ("auth",)), ("ir_datasets-tmp", ())):
        yield f"every byte is counted once: {cache}", lambda c=cache, h=hidden: recount_copy(ir, c, h)
    for entry in removals(ir):
        yield f"ir_datasets does without what is removed: {entry}", lambda e=entry: remove(ir, [e])
    yield "ir_datasets misses nothing of what is called needless", lambda: remove_needless(ir)
    yield "ir_datasets does without all that goes by itself", lambda: remove_all(ir)
    yield "what ir_datasets does not bring back is refused", lambda: refused(ir)
    yield "what a killed run kept for itself goes", lambda: temporary(ir)
    yield "a store that dscc calls broken is of no use to ir_datasets", lambda: broken(ir)
    yield "a store that dscc calls stale is deleted by ir_datasets itself", lambda: stale(ir)
    for together in TOGETHER:
        title = f"what dscc keeps together would fail apart: {together[1]}"
        yield title, lambda t=together: apart(ir, *t)


# ---------------------------------------------------------------- what is found


def compare_table() -> list[str]:
    printed = subprocess.run([sys.executable, HERE / "ir_known.py"], capture_output=True, text=True, check=True).stdout
    known, today = set(TABLE.read_text().splitlines()), set(printed.splitlines())
    problems = [f"the library makes, and the plugin does not know: {few(today - known, 5)}"] if today - known else []
    return problems + ([f"the library does not make: {few(known - today, 5)}"] if known - today else [])


def all_found(ir: IrLab) -> list[str]:
    leaves = {row["id"] for row in ir.rows.values()} - {row["parent"] for row in ir.rows.values()}
    problems = []
    for path, node in ir.nodes.items():
        above = [row for row in ir.rows.values() if any(beneath(path, claim) for claim in row["paths"])]
        owners = [row["id"] for row in above if row["id"] in leaves]
        foreign = path.split("/")[0] in ("auth", "notes")
        version = path.endswith("irds_version.txt")  # shared, so owned by the dataset alone
        if node.kind != "dir" and len(owners) != (0 if foreign or version else 1):
            problems.append(f"{path} belongs to {owners}")
    for name, said in ir.facts["clean_list_each"].items():
        inside = {path for path in ir.nodes if beneath(path, name)}
        size = weigh(ir.nodes[path] for path in inside)
        row = ir.rows[name]
        if row["size"] != size:
            problems.append(f"{name}: weighs {row['size']}, a recount says {size}")
        if ir.nodes[name].kind == "dir" and size < said["bytes"]:
            problems.append(f"{name}: weighs {size}, and the library would free {said['bytes']}")
    return problems


def stores(ir: IrLab) -> list[str]:
    problems = []
    for path, said in ir.facts["seen"]["docstores"].items():
        dataset, _, below = path.partition("/")
        row = ir.rows.get(f"{dataset}@stores/{below}")
        if row is None:
            problems.append(f"{path}: not found")
        elif (row["state"], row["attributes"].get("documents")) != ("complete", [str(said["count"])]):
            problems.append(f"{path}: {row['state']}, {row['attributes']}; the library counts {said['count']}")
    return problems


def unfinished(ir: IrLab) -> list[str]:
    found = {key: row["paths"] for key, row in ir.rows.items() if "@unfinished/" in key}
    problems = [] if found == UNFINISHED else [f"found {found}"]
    told = [ir.rows[key] for key in found]
    return problems + [f"{row['id']}: {row}" for row in told if row["state"] != "partial" or not row["reclaim"]]


def protected(ir: IrLab) -> list[str]:
    problems = []
    for made in ir.facts["user_made"]:
        path = made["path"]
        if path.split("/")[0] in ("auth", "notes"):
            continue
        rows = [row for row in ir.rows.values() if any(beneath(path, claim) for claim in row["paths"])]
        row = max(rows, key=lambda row: len(row["id"]))
        allowed = ["uncertain"] if path.startswith("aol-ia/") else ["irreplaceable"]
        if row["recovery"] not in allowed:
            problems.append(f"{path}: {row['id']} is {row['recovery']}")
        if "target" in made and row["attributes"].get("target") != [ir.nodes[path].content]:
            problems.append(f"{path}: its target is not told: {row['attributes']}")
        if "target" in made and (row["size"], row["unique_size"]) != (0, 0):
            problems.append(f"{path}: a link weighs {row['size']}")
    return problems


def recount_copy(ir: IrLab, cache: str, hidden: tuple[str, ...]) -> list[str]:
    with ir.copy() as at:
        return recount(ir.lab, at / "home", cache, hidden=hidden, IR_DATASETS_TMP=str(at / "tmp" / "ir_datasets"))


# ---------------------------------------------------------------- removals


def removals(ir: IrLab) -> list[str]:
    """Datasets, the kinds of things in them, and single things where there are several stores or a needless source."""
    gone = [row for row in ir.rows.values() if row["recovery"] != "irreplaceable" and row["kind"] != "link"]
    single = ("beir@stores/", "antique@sources/", "vaswani@sources/", "gov2@stores/", "aol-ia@protected/")
    return [row["id"] for row in gone if "/" not in row["id"] or row["id"].startswith(single)]


def remove(ir: IrLab, ids: list[str], wishes=None) -> list[str]:
    with ir.copy() as at:
        before = snapshot(at)
        plan = ir.dscc("clean", "-c", "ir_datasets", *ids, "-n", "--json")
        answer = ir.dscc("clean", "-c", "ir_datasets", *ids, "-y", "--json")
        after = snapshot(at)
        # Where a part of what was named stays, the status says so.
        if answer.status not in (0, 1) or answer.json["failed"] or plan.json["remove"] != answer.json["remove"]:
            return [str(plan), str(answer), "the dry run and the run differ, or something failed"]
        problems = went_as_planned(ir, answer.json, before, after)
        datasets = {key.partition("@")[0] for key in ids}
        if wishes is None:
            wishes = [wish for wish in ir.seen if wish.split(" ")[0].split("/")[0] in datasets]
        return problems + (ask(ir, wishes, set(before) - set(after)) if wishes else [])


def went_as_planned(ir: IrLab, answer: dict, before: dict, after: dict) -> list[str]:
    planned = {f"{ROOT}/{path}" for row in answer["remove"] for path in row["paths"]}
    gone = set(before) - set(after)
    problems = [f"gone, and not planned: {path}" for path in gone if not any(beneath(path, it) for it in planned)]
    problems += [f"planned, and still there: {path}" for path in planned & set(after)]
    changed = [path for path in set(before) & set(after) if before[path].inode != after[path].inode]
    changed += [path for path in set(before) & set(after) if not before[path].same_content(after[path])]
    problems += [f"changed: {few(changed)}"] if changed else []
    kept = [f"{ROOT}/{made['path']}" for made in ir.facts["user_made"] if not made["path"].startswith("aol-ia")]
    problems += [f"the user's {path} is gone" for path in kept if path in gone]
    return problems + [f"new: {few(set(after) - set(before))}"] * bool(set(after) - set(before))


def ask(ir: IrLab, wishes: list[str], gone: set[str]) -> list[str]:
    """The library gives the same answers as before. It downloads again what is gone, and nothing that was kept."""
    found, requested = ir.ask(wishes)
    problems = [f"{wish}: {found[wish]}, before {ir.seen[wish]}" for wish in wishes if found[wish] != ir.seen[wish]]
    paths = addresses()
    return problems + [
        f"the library downloads {paths[url]} again, which was kept"
        for url in requested
        if f"{ROOT}/{paths[url]}" not in gone and f"{ROOT}/{paths[url]}" in {f"{ROOT}/{it}" for it in ir.nodes}
    ]


def remove_needless(ir: IrLab) -> list[str]:
    needless = [row["id"] for row in ir.rows.values() if row["reclaim"]]
    paths = {path for key in needless for path in ir.rows[key]["paths"]}
    for wanted in ("antique/collection.tsv", "vaswani/docs.txt", "cranfield/docs.pklz4"):
        if wanted not in paths:
            return [f"{wanted} is not called needless"]
    with ir.copy() as at:
        answer = ir.dscc("clean", "-c", "ir_datasets", *needless, "-y", "--json")
        if answer.status:
            return [str(answer)]
        found, requested = ir.ask(ir.seen)
        problems = [f"{wish}: {found[wish]}, before {count}" for wish, count in ir.seen.items() if found[wish] != count]
        problems += [f"downloaded again: {requested}"] if requested else []
        # A half-built store is only added to: without it the next one is as small as it should be.
        left = (ir.corpus / ROOT / "cranfield/docs.pklz4/bin").stat().st_size
        found, _ = ir.ask(["cranfield store"])
        built = (at / ROOT / "cranfield/docs.pklz4/bin").stat().st_size
        if found["cranfield store"] != 300 or not left < built < 2 * left:
            problems.append(f"cranfield: {found}, {built} bytes, of which {left} had been left")
    return problems


def remove_all(ir: IrLab) -> list[str]:
    problems = remove(ir, [], list(ir.seen))
    with ir.copy() as at:
        ir.dscc("clean", "-c", "ir_datasets", "-y")
        left = {path for path in snapshot(at / ROOT) if not (at / ROOT / path).is_dir() or (at / ROOT / path).is_symlink()}
    expected = {made["path"] for made in ir.facts["user_made"]}
    return problems + ([] if left == expected else [f"left: {few(left ^ expected)}"])


def refused(ir: IrLab) -> list[str]:
    problems = []
    with ir.copy() as at:
        before = snapshot(at)
        for row in (row for row in ir.rows.values() if row["recovery"] == "irreplaceable"):
            answer = ir.dscc("clean", "-c", "ir_datasets", row["id"], "-y", "--json")
            kept = {keep["id"]: keep["reason"] for keep in answer.json["keep"]}
            if answer.status != 3 or "cannot be had back" not in kept.get(row["id"], ""):
                problems.append(f"{row['id']}: {answer.status}, {kept}")
        # By itself it goes with nothing: without it the library deletes the store.
        for name in ("beir@stores/scifact/irds_version.txt", "beir/scifact/irds_version.txt", "auth", "auth/example"):
            answer = ir.dscc("clean", "-c", "ir_datasets", name, "-y", "--json")
            if answer.status != 5:
                problems.append(str(answer))
        if snapshot(at) != before:
            problems.append("something changed")
    return problems


def apart(ir: IrLab, wish: str, entry: str, head: dict[str, bytes], rest: dict[str, bytes]) -> list[str]:
    """With the first part alone the library fails for ever; without both it would download. So they are one entry, or the
    one needs the other."""
    problems = []
    with ir.copy() as at:
        for path, content in (head | rest).items():
            (at / ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (at / ROOT / path).write_bytes(content)
        whole = ir.ask([wish])[0][wish]
        rows = entries(ir.dscc("show", "-c", "ir_datasets", "--children", "--json"))
        with_both = [row["id"] for row in rows.values() if all(covers(row, path) for path in rest)]
        if entry not in with_both:
            problems.append(f"{entry} is not an entry with {few(rest)}")
        alone = [
            row["id"]
            for row in rows.values()
            if any(covers(row, path) for path in rest) and not any(covers(row, path) for path in head)
        ]
        problems += [f"{key} is an entry without {few(head)}" for key in alone]
        for path in rest:
            (at / ROOT / path).unlink()
        broken = ir.ask([wish])[0][wish]
        if whole != 1 or "FileNotFoundError" not in str(broken):
            problems.append(f"{wish}: {whole} with all, {broken} with the first part alone")
    return problems


def temporary(ir: IrLab) -> list[str]:
    with ir.copy() as at:
        left = sorted(path.name for path in (at / "tmp/ir_datasets").iterdir())
        rows = entries(ir.dscc("show", "-c", "ir_datasets-tmp", "--json")).values()
        answer = ir.dscc("clean", "-c", "ir_datasets-tmp", "-y", "--json")
        after = list((at / "tmp/ir_datasets").iterdir())
    problems = [] if [row["paths"] for row in rows if row["reclaim"]] == [left] else [f"{left} is on disk, not {rows}"]
    return problems + ([] if answer.status == 0 and not after else [f"{answer}: {after}"])


def broken(ir: IrLab) -> list[str]:
    """Killed between the offsets, which make it count as built, and the index."""
    with ir.copy() as at:
        for path in (at / ROOT / "vaswani/docs.pklz4").glob("idx.*"):
            path.unlink()
        row = entries(ir.dscc("show", "-c", "ir_datasets", "--children", "--json"))["vaswani@stores/docs.pklz4"]
        found, _ = ir.ask(["vaswani store"])
        ir.dscc("clean", "-c", "ir_datasets", row["id"], "-y")
        again, _ = ir.ask(["vaswani store"])
    problems = [] if (row["state"], bool(row["reclaim"])) == ("broken", True) else [f"{row}"]
    if found["vaswani store"] == ir.seen["vaswani store"] or again["vaswani store"] != ir.seen["vaswani store"]:
        problems.append(f"the library says {found}, and after the removal {again}")
    return problems


def stale(ir: IrLab) -> list[str]:
    store = "beir/scifact/docs.pklz4"
    with ir.copy() as at:
        (at / ROOT / "beir/scifact/irds_version.txt").unlink()
        row = entries(ir.dscc("show", "-c", "ir_datasets", "--children", "--json"))["beir@stores/scifact/docs.pklz4"]
        before = (at / ROOT / store).stat().st_ino, (at / ROOT / store / "bin").stat().st_mtime_ns
        found, _ = ir.ask(["beir/scifact store"])
        after = (at / ROOT / store).stat().st_ino, (at / ROOT / store / "bin").stat().st_mtime_ns
    problems = [] if (row["state"], bool(row["reclaim"])) == ("stale", True) else [f"{row}"]
    return problems + ([] if before != after else [f"the library kept it: {found}"])


def covers(row: dict, path: str) -> bool:
    return any(beneath(path, claim) for claim in row["paths"])
