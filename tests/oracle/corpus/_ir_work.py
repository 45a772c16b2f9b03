#!/usr/bin/env python3
"""What ir_datasets is asked to do, one process for each: `_ir_work.py KIND REPORT [NAME...]`.

The library's own dataset modules run unchanged. Only its table of download addresses is edited in memory, so that each
address is one that the loopback serves, with the MD5 of what is served for it.
"""

from __future__ import annotations

import json
import os
import pkgutil
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from _ir_content import HOST, address, served  # noqa: E402
from _ircommon import md5  # noqa: E402


def load_library():
    """Import ir_datasets with its download table pointed at the loopback proxy."""
    real = pkgutil.get_data

    def edited(package, resource):
        data = real(package, resource)
        if (package, resource) != ("ir_datasets", "etc/downloads.json"):
            return data
        table = json.loads(data)
        for (ds, key), content in served().items():
            item = table[ds][key]
            item["url"] = address(ds, key)
            item["expected_md5"] = md5(content)
            item["size_hint"] = len(content)
            item.pop("irds_mirror", None)
            item.pop("download_args", None)
        return json.dumps(table).encode()

    pkgutil.get_data = edited
    import ir_datasets

    return ir_datasets


def work_build(ir) -> dict:
    """Use a few datasets the way a program does, and report what it sees."""
    seen: dict = {"docstores": {}, "counts": {}}

    def store(name):
        ds = ir.load(name)
        s = ds.docs_store()
        s.build()
        lookup = s.lookup
        first = next(iter(ds.docs_iter()))
        assert s.get(first.doc_id).doc_id == first.doc_id
        rel = os.path.relpath(lookup.path(), ir.util.home_path())
        seen["docstores"][rel] = {"built": s.built(), "count": len(lookup)}

    def count(name, kind):
        seen["counts"][f"{name} {kind}"] = sum(
            1 for _ in getattr(ir.load(name), f"{kind}_iter")()
        )

    for name in (
        "vaswani",
        "antique",
        "beir/scifact",
        "beir/nfcorpus",
        "beir/cqadupstack/android",
        "beir/cqadupstack/stats",
        "codec",
        "hc4/ru",
    ):
        store(name)
    for name in (
        "vaswani",
        "antique/train",
        "antique/test",
        "beir/scifact/test",
        "beir/nfcorpus/dev",
        "beir/cqadupstack/android",
        "codec/economics",
    ):
        count(name, "queries")
        count(name, "qrels")
    count("antique/test/non-offensive", "queries")
    # the linked corpus of gov2: a document count file and a document cache
    gov2 = ir.load("gov2/trec-tb-2004")
    seen["counts"]["gov2 docs"] = gov2.docs_count()
    doc = gov2.docs_store().get("GX000-00-0000003")
    assert doc.doc_id == "GX000-00-0000003"
    count("gov2/trec-tb-2004", "queries")
    count("gov2/trec-tb-2004", "qrels")
    return seen


def work_download(ir):
    """Killed while ir_datasets downloads a source file."""
    for _ in ir.load("nfcorpus").docs_iter():
        pass


def work_cache(ir):
    """Killed while ir_datasets streams a remote file into a cached one."""
    u = ir.util
    source = u.Download(
        [u.RequestsDownload(f"{HOST}/cache-partial.txt")], stream=True
    )
    u.Cache(source, u.home_path() / "cranfield" / "extra.txt").verify()


def work_docstore(ir):
    """Killed while ir_datasets builds a document store."""
    handler = ir.load("cranfield").docs_handler()
    real = handler.docs_iter.__func__

    def stuck(self):
        for i, doc in enumerate(real(self)):
            if i == 200:
                print("STUCK", flush=True)
                signal.pause()
            yield doc

    type(handler).docs_iter = stuck
    handler.docs_store().build()


def work_tmp(ir):
    """Killed while ir_datasets downloads a source it keeps only for the run."""
    import tempfile

    tempfile._name_sequence = iter([f"corpus{i:02d}" for i in range(100)])
    for _ in ir.load("argsme/1.0").docs_iter():
        pass


def work_tweets(ir):
    """Killed while ir_datasets restructures a streamed collection."""
    ir.load("tweets2013-ia").docs_handler()._docs_build()


def work_ask(ir, *wishes) -> dict:
    """How many documents, queries or judgements of a dataset can be read: a number, or the error. Of a store whether a
    document can be looked up, and how many it has."""
    answers = {}
    for wish in wishes:
        name, _, kind = wish.partition(" ")
        try:
            dataset = ir.load(name)
            if kind == "store":
                store = dataset.docs_store()
                first = next(iter(dataset.docs_iter()))
                found = store.get(first.doc_id)
                answers[wish] = len(store.lookup) if found.doc_id == first.doc_id else "the wrong document"
            else:
                answers[wish] = sum(1 for _ in getattr(dataset, f"{kind}_iter")())
        except Exception as error:  # what a user of the library would see
            answers[wish] = f"{type(error).__name__}: {error}"
    return answers


WORK = {
    "build": work_build,
    "download": work_download,
    "cache": work_cache,
    "docstore": work_docstore,
    "tmp": work_tmp,
    "tweets": work_tweets,
    "ask": work_ask,
}


def main(kind: str, report: str, *wishes: str) -> None:
    out = WORK[kind](load_library(), *wishes)
    if out is not None:
        Path(report).write_text(json.dumps(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
