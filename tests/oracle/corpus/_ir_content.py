"""What make_ir.py serves for the downloads of ir_datasets: small made-up files of the right formats."""

import bz2
import hashlib
import json

from _ircommon import gz, tar, words, zipped

HOST = "http://ir.corpus.test"


# ---------------------------------------------------------------- made-up contents


def vaswani() -> bytes:
    def sections(rows, end="   /\n"):
        return "".join(f"{i}\n{text}\n{end}" for i, text in rows).encode()

    return tar(
        {
            "doc-text": sections((i, words(f"v{i}", 30)) for i in range(1, 401)),
            "query-text": sections(
                ((i, words(f"vq{i}", 6)) for i in range(1, 11)), "/\n"
            ),
            "rlv-ass": sections((i, f"{i} {i + 1} {i + 2}") for i in range(1, 11)),
        }
    )


def tsv(prefix: str, n: int, length: int) -> bytes:
    return "".join(
        f"{prefix}{i}\t{words(prefix + str(i), length)}\n" for i in range(n)
    ).encode()


def qrels(prefix_q: str, prefix_d: str, n: int) -> bytes:
    return "".join(f"{prefix_q}{i} U0 {prefix_d}{i} 1\n" for i in range(n)).encode()


def jsonl(rows) -> bytes:
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


def beir(folders: dict[str, list[str]], meta) -> bytes:
    members: dict[str, bytes] = {}
    for folder, splits in folders.items():
        members[f"{folder}/corpus.jsonl"] = jsonl(
            {
                "_id": f"d{i}",
                "title": words(f"{folder}t{i}", 4),
                "text": words(f"{folder}{i}", 25),
                "metadata": meta(i),
            }
            for i in range(60)
        )
        members[f"{folder}/queries.jsonl"] = jsonl(
            {"_id": f"q{i}", "text": words(f"{folder}q{i}", 5), "metadata": meta(i)}
            for i in range(8)
        )
        for split in splits:
            members[f"{folder}/qrels/{split}.tsv"] = (
                "query-id\tcorpus-id\tscore\n"
                + "".join(f"q{i}\td{i}\t1\n" for i in range(8))
            ).encode()
    return zipped(members)


def tweets(month: int) -> bytes:
    """A tar of bz2 files of tweets, as the Internet Archive packs them."""
    start = {2: 297_000_000_000_000_000, 3: 307_000_000_000_000_000}[month]
    members = {}
    for minute in range(6):
        rows = []
        for i in range(40):
            tid = start + ((minute * 60_000 + i * 1_000) << 22)
            rows.append(
                {
                    "id": tid,
                    "id_str": str(tid),
                    "text": words(str(tid), 40),
                    "user": {"id_str": str(1000 + i)},
                    "created_at": "made up",
                    "lang": "en",
                    "in_reply_to_status_id_str": None,
                }
            )
        members[f"{month:02d}/01/00/{minute:02d}.json.bz2"] = bz2.compress(jsonl(rows))
    return tar(members, compress=False)


def gov2_bundle() -> tuple[bytes, bytes]:
    ids = [f"GX000-00-{i:07d}" for i in range(30)]
    docs = "".join(
        f"<DOC>\n<DOCNO>{d}</DOCNO>\n<DOCHDR>\nhttp://{d.lower()}.example.test/\n"
        f"HTTP/1.1 200 OK\nContent-type: text/html\n</DOCHDR>\n"
        f"<p>{words(d, 40)}</p>\n</DOC>\n"
        for d in ids
    )
    urls = "".join(f"http://{d.lower()}.example.test/ {d}\n" for d in ids)
    return gz(docs.encode()), gz(urls.encode())


def served() -> dict[tuple[str, str], bytes]:
    """(dataset, item of ir_datasets' download table) -> the bytes served for it."""
    topic = "<top>\n<num> Number: 701\n<title> made up\n<desc> Description:\nx\n<narr> Narrative:\nx\n</top>\n"
    return {
        ("vaswani", "main"): vaswani(),
        ("antique", "docs"): tsv("a", 500, 30),
        ("antique", "train/queries"): tsv("tq", 40, 8),
        ("antique", "train/qrels"): qrels("tq", "a", 40),
        ("antique", "test/queries"): tsv("eq", 20, 8),
        ("antique", "test/qrels"): qrels("eq", "a", 20),
        ("antique", "disallow_list"): b"eq1\neq2\n",
        ("beir", "scifact"): beir({"scifact": ["train", "test"]}, lambda i: {}),
        ("beir", "nfcorpus"): beir(
            {"nfcorpus": ["train", "dev", "test"]},
            lambda i: {"url": f"http://example.test/{i}"},
        ),
        ("beir", "cqadupstack"): beir(
            {"cqadupstack/android": ["test"], "cqadupstack/stats": ["test"]},
            lambda i: {"tags": ["t", str(i)]},
        ),
        ("codec", "topics"): json.dumps(
            {"economics-1": {"Query": "q", "Domain": "economics", "Guidelines": "g"}}
        ).encode(),
        ("codec", "qrels"): qrels("economics-", "c", 2),
        ("gov2", "trec-tb-2004/queries"): topic.encode(),
        ("gov2", "trec-tb-2004/qrels"): qrels("70", "GX000-00-000000", 9),
        ("hc4", "ru/test/qrels"): qrels("3", "h", 9),
        ("nfcorpus", "main"): gz(os_noise(400_000)),
        ("argsme", "1.0"): zipped({"args-me.json": os_noise(300_000)}),
        ("cranfield", "main"): tar(
            {
                "cran.all.1400": "".join(
                    f".I {i}\n.T\n{words(f'ct{i}', 5)}\n.A\nx\n.B\nx\n.W\n{words(f'c{i}', 60)}\n"
                    for i in range(1, 301)
                ).encode(),
                "cran.qry": b".I 1\n.W\nmade up\n",
                "cranqrel": b"1 1 1\n",
            }
        ),
        ("tweets2013-ia", "docs/feb"): tweets(2),
        ("tweets2013-ia", "docs/mar"): tweets(3),
    }


def os_noise(n: int) -> bytes:
    """n incompressible but deterministic bytes."""
    out, i = bytearray(), 0
    while len(out) < n:
        out += hashlib.sha512(str(i).encode()).digest()
        i += 1
    return bytes(out[:n])


def address(ds: str, key: str) -> str:
    name = f"{ds}/{key}".replace("/", "_")
    if (ds, key) == ("nfcorpus", "main"):
        name += ".tar.gz"
    return f"{HOST}/{name}"


#: address -> bytes sent before the connection hangs
STALLS = {
    address("nfcorpus", "main"): 4 * 65536 + 100,
    address("argsme", "1.0"): 2 * 65536 + 100,
    f"{HOST}/cache-partial.txt": 3 * 65536 + 100,
    address("tweets2013-ia", "docs/mar"): 3 * 8192 + 100,
}
