"""Copies of the ir_datasets corpus, dscc and the real library run in them, and what the library answered before."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from _ir_content import address, served
from _ircommon import Loopback, worker_env
from sandbox import Answer, Lab, Node, entries, snapshot

ROOT = "home/.ir_datasets"
HERE = Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "plugins" / "ir-datasets" / "src" / "known.tsv"

# The names under which the corpus' stores are asked for.
STORES = {
    "antique/collection.tsv.pklz4": "antique",
    "beir/cqadupstack/android/docs.pklz4": "beir/cqadupstack/android",
    "beir/cqadupstack/stats/docs.pklz4": "beir/cqadupstack/stats",
    "beir/nfcorpus/docs.pklz4": "beir/nfcorpus",
    "beir/scifact/docs.pklz4": "beir/scifact",
    "codec/v1/comets_documents.jsonl.pklz4": "codec",
    "hc4/rus/hc4_docs.jsonl.pklz4": "hc4/ru",
    "vaswani/docs.pklz4": "vaswani",
}


class IrLab:
    """The corpus, copied for each check."""

    def __init__(self, lab: Lab):
        self.lab, self.corpus = lab, lab.corpus
        self.facts = json.loads((lab.corpus / "expected" / "ir.json").read_text())
        self.at = lab.scratch / "ir"

    @contextmanager
    def copy(self):
        """A fresh copy of the home, the folder for one run and all that links lead to."""
        self.at.mkdir()
        for part in ("home", "tmp", "outside-ir"):
            subprocess.run(["cp", "-a", self.corpus / part, self.at / part], check=True)
        try:
            yield self.at
        finally:
            shutil.rmtree(self.at)

    def dscc(self, *args: str) -> Answer:
        return self.lab.run(self.at / "home", *args, IR_DATASETS_TMP=str(self.at / "tmp" / "ir_datasets"))

    @cached_property
    def rows(self) -> dict[str, dict]:
        """All entries of the untouched corpus."""
        with self.copy():
            return entries(self.dscc("show", "-c", "ir_datasets", "--children", "--json"))

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """The home's nodes before anything was removed."""
        return snapshot(self.corpus / ROOT)

    @property
    def seen(self) -> dict[str, int]:
        """What the library answered when it had made the corpus, by `NAME KIND`."""
        counts = {wish: count for wish, count in self.facts["seen"]["counts"].items() if not wish.endswith(" docs")}
        stores = self.facts["seen"]["docstores"]
        return counts | {f"{name} store": stores[path]["count"] for path, name in STORES.items()}

    def ask(self, wishes) -> tuple[dict, list[str]]:
        """The library's answers in the copy, and the addresses that it downloaded from for them."""
        report = self.at / "report.json"
        with Loopback({address(*key): content for key, content in served().items()}) as net:
            environment = worker_env(
                self.at,
                net.proxy,
                IR_DATASETS_TMP=str(self.at / "tmp" / "ir_datasets"),
                IR_DATASETS_SMALL_FILE_SIZE="20000",
                IR_DATASETS_DL_DISABLE_PBAR="true",
                IR_DATASETS_DL_TRIES="1",
            )
            command = [sys.executable, HERE / "corpus" / "_ir_work.py", "ask", report, *sorted(wishes)]
            done = subprocess.run(command, env=environment, cwd=self.at, capture_output=True, text=True, timeout=120)
            requested = sorted(set(net.requests))
        if done.returncode:
            raise AssertionError(f"the library ended with {done.returncode}: {done.stderr[-500:]}")
        return json.loads(report.read_text()), requested


def addresses() -> dict[str, str]:
    """The path of each download of the corpus by its address there."""
    rows = [line.split("\t") for line in TABLE.read_text().splitlines() if line.startswith("download\t")]
    paths = {row[2]: row[1] for row in rows}
    return {address(*key): paths["/".join(key)] for key in served()}
