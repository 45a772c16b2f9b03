"""What the datamaestro corpus is made from: a repository of made-up datasets, and the files that they download.

The definitions are a plugin of datamaestro, written to a folder and found through its entry point.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from _ircommon import gz, md5, tar, words, zipped

HOST = "http://dm.corpus.test"

PACKAGE = '''
import datamaestro

class Repository(datamaestro.Repository):
    AUTHOR = "made up"
    DESCRIPTION = "A made-up repository"
    NAMESPACE = "corpus"
'''

#: config/com/example.py of the plugin
DATASETS = '''
from hashlib import md5
from pathlib import Path
from datamaestro.annotations.agreement import useragreement
from datamaestro.context import DatafolderPath
from datamaestro.data import File, Folder
from datamaestro.definitions import Dataset, dataset
from datamaestro.download import FileResource, FilesCopy, reference
from datamaestro.download.archive import TarDownloader, ZipDownloader
from datamaestro.download.links import linkfile, linkfolder, links
from datamaestro.download.single import FileDownloader, filedownloader
from datamaestro.utils import HashCheck
from datamaestro.variants import Axis, AxesVariants

HOST = "%(host)s"

class Resuming(FileResource):
    """A resource that can go on from a partial download, and always fails."""
    @property
    def can_recover(self):
        return True
    def _download(self, destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes(b"half of it" * 1000)
        raise IOError("the connection dropped")

@dataset(Folder, id="com.example.letters")
class Letters(Dataset):
    """One archive: it is unpacked straight into the dataset folder."""
    DATA = ZipDownloader("data", url=HOST + "/letters.zip")
    def config(self) -> Folder:
        return Folder.C(path=self.DATA.path)

@dataset(File, id="com.example.letters.train")
class LettersTrain(Dataset):
    """Nested in the folder of com.example.letters."""
    DATA = FileDownloader("train.tsv", HOST + "/train.tsv.gz")
    def config(self) -> File:
        return File.C(path=self.DATA.path)

@dataset(File, id="com.example.letters.train.small")
class LettersTrainSmall(Dataset):
    """Nested twice."""
    DATA = FileDownloader("small.tsv", HOST + "/small.tsv")
    def config(self) -> File:
        return File.C(path=self.DATA.path)

@dataset(File, id="com.example.pairs")
class Pairs(Dataset):
    """Two files and an archive."""
    QUERIES = FileDownloader("queries.tsv", HOST + "/queries.tsv")
    QRELS = FileDownloader("qrels.txt", HOST + "/qrels.txt.gz",
                           checker=HashCheck("%(qrels_md5)s", md5))
    RUNS = TarDownloader("runs", url=HOST + "/runs.tar.gz")
    def config(self) -> File:
        return File.C(path=self.QUERIES.path)

@dataset(Folder, id="org.sample.kept")
class Kept(Dataset):
    """An archive dropped once what is needed was copied out of it."""
    ARCHIVE = ZipDownloader("archive", HOST + "/kept.zip", transient=True)
    FILES = FilesCopy(ARCHIVE, {"q.jsonl": "queries.jsonl"})
    def config(self) -> Folder:
        return Folder.C(path=self.FILES.path)

@dataset(File, id="org.sample.ref")
class Ref(Dataset):
    """Only refers to another dataset: no file of its own."""
    DATA = reference(LettersTrain)
    def config(self) -> File:
        return File.C(path=self.DATA.reference.__dataset__.datapath)

@dataset(Folder, id="org.sample.linked")
class Linked(Dataset):
    """Links to another dataset's folder."""
    DATA = links("data", train=LettersTrain)
    def config(self) -> Folder:
        return Folder.C(path=self.DATA.path)

@dataset(Folder, id="org.sample.licensed")
class Licensed(Dataset):
    """Links to a folder and a file of the user's, found in a data folder."""
    DISKS = linkfolder("disks", [DatafolderPath("disks", "TREC45")])
    TERMS = linkfile("terms", [DatafolderPath("disks", "terms.txt")])
    def config(self) -> Folder:
        return Folder.C(path=self.DISKS.path)

@dataset(File, id="org.sample.corrupt")
class Corrupt(Dataset):
    """Fails its checksum."""
    DATA = FileDownloader("data.bin", HOST + "/corrupt.bin",
                          checker=HashCheck("0" * 32, md5))
    def config(self) -> File:
        return File.C(path=self.DATA.path)

@dataset(File, id="org.sample.half")
class Half(Dataset):
    """First file arrives, the second stops half way and can be resumed."""
    FIRST = FileDownloader("first.tsv", HOST + "/queries.tsv")
    SECOND = Resuming("second.bin")
    def config(self) -> File:
        return File.C(path=self.FIRST.path)

@dataset(File, id="org.sample.killed")
class Killed(Dataset):
    """Killed in the middle of its download."""
    DATA = FileDownloader("killed.bin", HOST + "/killed.bin")
    def config(self) -> File:
        return File.C(path=self.DATA.path)

class Langs(AxesVariants):
    lang = Axis(["en", "fr"], default="en")

@dataset(File, id="org.sample.variants", variants=Langs)
class Variants(Dataset):
    """A family: all variants share one folder."""
    DATA = FileDownloader("all.tsv", HOST + "/all.tsv")
    def config(self, lang: str) -> File:
        return File.C(path=self.DATA.path)

@dataset(File, id="org.sample.old")
class Old(Dataset):
    """Downloaded once; its definition is then removed."""
    DATA = FileDownloader("old.tsv", HOST + "/small.tsv")
    def config(self) -> File:
        return File.C(path=self.DATA.path)

@useragreement("Do you agree?", id="org.sample.terms")
@filedownloader("agreed.tsv", HOST + "/small.tsv")
@dataset(File, id="org.sample.agreed")
def agreed(agreed):
    """Asks for an agreement, remembered in the user's file."""
    return {"path": agreed}

@dataset(File, id="org.sample.legacy")
class Legacy(Dataset):
    """Its state files are removed afterwards, as in an older datamaestro."""
    DATA = FileDownloader("legacy.tsv", HOST + "/small.tsv")
    def config(self) -> File:
        return File.C(path=self.DATA.path)
'''

#: a dataset of a module that belongs to no repository
LONER = '''
from datamaestro.data import File
from datamaestro.definitions import Dataset, dataset
from datamaestro.download.single import FileDownloader

@dataset(File, id="net.loner.set")
class Loner(Dataset):
    DATA = FileDownloader("loner.tsv", "%(host)s/small.tsv")
    def config(self) -> File:
        return File.C(path=self.DATA.path)

if __name__ != "__main__":
    pass
'''


def noise(n: int) -> bytes:
    out, i = bytearray(), 0
    while len(out) < n:
        out += hashlib.sha512(f"dm{i}".encode()).digest()
        i += 1
    return bytes(out[:n])


def tsv(name: str, n: int) -> bytes:
    return "".join(f"{name}{i}\t{words(name + str(i), 12)}\n" for i in range(n)).encode()


QRELS = b"".join(f"q{i} 0 d{i} 1\n".encode() for i in range(50))

FILES = {
    f"{HOST}/letters.zip": zipped(
        {
            "letters/README": b"made up\n",
            "letters/a/one.txt": tsv("one", 100),
            "letters/b/two.txt": tsv("two", 50),
        }
    ),
    f"{HOST}/train.tsv.gz": gz(tsv("train", 400)),
    f"{HOST}/small.tsv": tsv("small", 40),
    f"{HOST}/all.tsv": tsv("all", 80),
    f"{HOST}/queries.tsv": tsv("query", 60),
    f"{HOST}/qrels.txt.gz": gz(QRELS),
    f"{HOST}/runs.tar.gz": tar({"runs/r1": tsv("r1", 30), "runs/r2": tsv("r2", 30)}),
    f"{HOST}/kept.zip": zipped({"queries.jsonl": tsv("k", 30), "big.bin": noise(60_000)}),
    f"{HOST}/corrupt.bin": noise(9_000),
    f"{HOST}/killed.bin": noise(300_000),
}
STALLS = {f"{HOST}/killed.bin": 150 * 1024 + 100}


def plugin(at: Path, datasets: str) -> None:
    conf = at / "dscc_corpus" / "config" / "com"
    conf.mkdir(parents=True, exist_ok=True)
    (at / "dscc_corpus" / "__init__.py").write_text(PACKAGE)
    (conf.parent / "__init__.py").write_text("")
    (conf / "__init__.py").write_text("")
    (conf / "example.py").write_text(datasets)
    (at / "loner" / "config").mkdir(parents=True, exist_ok=True)
    (at / "loner" / "__init__.py").write_text("")
    (at / "loner" / "config" / "__init__.py").write_text("")
    (at / "loner" / "config" / "sets.py").write_text(LONER % {"host": HOST})
    info = at / "dscc_corpus-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dscc-corpus\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[datamaestro.repositories]\ncorpus = dscc_corpus:Repository\n"
    )
