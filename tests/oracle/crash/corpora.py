"""Small corpora to be killed in: parts of those that corpus/make_*.py makes, so that a copy takes milliseconds."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crash.trial import Scenario
from crash.views import DatamaestroView, HubView, IrView
from crash.world import World
from sandbox import HUB, Lab


@dataclass
class Corpus:
    """What a world is a copy of, what is removed from it, and who looks at it."""

    lab: Lab
    pristine: Path
    scenarios: tuple[Scenario, ...]
    view: Callable[[World], object]
    above: tuple[str, ...]
    links: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def world(self, at: Path) -> World:
        return World(self.lab, self.pristine, at, self.links, self.above, self.settings)


# ---------------------------------------------------------------- huggingface_hub

REPOSITORIES = (
    "models--acme--tiny-bert",
    "models--acme--moving",
    "models--acme--interrupted",
    "models--acme--xet-base",
    "models--acme--xet-finetune",
    "datasets--acme--xet-data",
    "datasets--acme--exported",
)
PARTIAL = "9ad875dde3a575049016f347f954968c3c6065959590aa23f6292cbb1d4c1209.93b842f0.incomplete"
ORPHAN = "6e480af01427bc364eef30257faedb6e55a2af780c6059eb84580cccee0be046"


def of_hub(lab: Lab) -> Corpus:
    pristine = lab.scratch / "crash-pristine"
    source, target = lab.corpus / "home" / HUB, pristine / "home" / HUB
    for name in ("blobs", *REPOSITORIES, *(f".locks/{name}" for name in REPOSITORIES)):
        shutil.copytree(source / name, target / name, symlinks=True)
    mixed = (
        "model/acme/tiny-bert@07e087a25e688c5ddd5aebfe60a326f4aa3537d1",  # of its content all but one file is shared
        "model/acme/moving@196d679f7f44776367829a289eb9b486e2c2d725",  # detached
        f"model/acme/interrupted/blobs/{PARTIAL}",
        "dataset/acme/exported",  # nested refs
        "dataset/acme/xet-data",  # shares a payload with what stays, and holds another one alone
    )
    holders = ("model/acme/xet-base", "model/acme/xet-finetune", f"store/{ORPHAN}")
    scenarios = (
        Scenario("a revision, a partial download, repositories", "hub", mixed),
        Scenario("all who share a payload", "hub", holders, thorough=False),
    )
    return Corpus(lab, pristine, scenarios, HubView, ("home/.cache/huggingface",))


# ---------------------------------------------------------------- ir_datasets

WISHES = (
    "vaswani queries",
    "vaswani qrels",
    "vaswani store",
    "antique/train queries",
    "antique/test queries",
    "antique store",
    "beir/scifact/test queries",
    "beir/scifact store",
    "beir/nfcorpus/dev qrels",
    "beir/nfcorpus store",
    "gov2/trec-tb-2004 queries",
)


def of_ir(lab: Lab, proxy: str) -> Corpus:
    pristine = lab.scratch / "crash-pristine"
    pristine.mkdir()
    for part in ("home", "tmp", "outside-ir"):
        shutil.copytree(lab.corpus / part, pristine / part, symlinks=True)
    mixed = (
        "vaswani",
        "antique@sources/collection.tsv",
        "beir@stores/scifact/docs.pklz4",
        "cranfield@unfinished/docs.pklz4",
        "tweets2013-ia",
        "gov2@stores",
    )
    scenarios = (
        Scenario("datasets and parts of others", "ir_datasets", mixed),
        Scenario("a dataset with others in it", "ir_datasets", ("beir",), thorough=False),
    )
    settings = {"IR_DATASETS_TMP": "{live}/tmp/ir_datasets"}

    def view(world: World) -> IrView:
        return IrView(world, proxy, WISHES)

    return Corpus(lab, pristine, scenarios, view, ("home", "tmp"), settings=settings)


# ---------------------------------------------------------------- datamaestro


def of_datamaestro(lab: Lab, proxy: str, plugins: Path) -> Corpus:
    pristine = lab.scratch / "crash-pristine"
    pristine.mkdir()
    links = {}
    for part in ("home", "outside-dm"):
        shutil.copytree(lab.corpus / part, pristine / part, symlinks=True)
    for link in (Path(folder, name) for folder, *rest in os.walk(pristine) for names in rest for name in names):
        if link.is_symlink() and (target := os.readlink(link)).startswith(f"{lab.corpus}/"):
            links[link.relative_to(pristine).as_posix()] = Path(target).relative_to(lab.corpus).as_posix()
    nested = ("com.example.letters", "com.example.letters.train", "com.example.letters.train.small", "org.sample.linked")
    scenarios = (
        Scenario("datasets in one another's folders", "datamaestro-data", (*nested, "com.example.pairs", "org.sample.half")),
        Scenario("what was downloaded", "datamaestro-cache", (), thorough=False),
    )

    def view(world: World) -> DatamaestroView:
        return DatamaestroView(world, proxy, plugins)

    return Corpus(lab, pristine, scenarios, view, ("home/datamaestro",), links)
