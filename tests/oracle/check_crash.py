"""Killed before any of its system calls, dscc leaves a cache that the real library accepts, with all that was to stay; the
next run finishes or undoes what was begun.

By default every call is a point but of those that delete what is out of the cache already: each 20th of them; `--full`
takes all, and more of the kills of the run after the kill.
"""

import json
import multiprocessing
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from crash import calls
from crash.stopper import INTERRUPT, KILL
from crash.trial import ERRORS, Point, Scenario, Trial, is_purge, variants
from crash.views import DatamaestroView, HubView, IrView
from crash.world import World
from sandbox import HUB, Lab

SPARSE = 20

HUB_REPOSITORIES = (
    "models--acme--tiny-bert",
    "models--acme--moving",
    "models--acme--interrupted",
    "models--acme--xet-base",
    "models--acme--xet-finetune",
    "datasets--acme--xet-data",
    "datasets--acme--exported",
)
HUB_SCENARIOS = (
    Scenario(
        "revisions with shared content, a partial download, a repository, a shared payload",
        "hub",
        (
            "model/acme/tiny-bert@07e087a25e688c5ddd5aebfe60a326f4aa3537d1",
            "model/acme/moving@196d679f7f44776367829a289eb9b486e2c2d725",
            "model/acme/interrupted/blobs/"
            "9ad875dde3a575049016f347f954968c3c6065959590aa23f6292cbb1d4c1209.93b842f0.incomplete",
            "dataset/acme/exported",
            "dataset/acme/xet-data",
        ),
    ),
    Scenario("all holders of a payload", "hub", ("model/acme/xet-base", "model/acme/xet-finetune@40a3102", "store/6e480af01427bc364eef30257faedb6e55a2af780c6059eb84580cccee0be046")),
    Scenario("everything", "hub", ()),
)


def checks(lab: Lab, homes: dict):
    if calls.MACHINE not in calls.NUMBERS:
        yield f"killed at any point: the system calls of {calls.MACHINE} are known", lambda: ["they are not"]
        return
    corpus = Corpus.of_hub(lab)
    for scenario in corpus.scenarios:
        for name in variants(scenario):
            yield f"killed at any point: {scenario.title}: {name}", lambda s=scenario, n=name: corpus.killed(s, n)
        yield f"a call that fails: {scenario.title}", lambda s=scenario: corpus.other(s, ERRORS)
        yield f"interrupted at any point: {scenario.title}", lambda s=scenario: corpus.other(s, (INTERRUPT,))


@dataclass
class Corpus:
    """A small corpus with its scenarios, and the processes that play them."""

    lab: Lab
    pristine: Path
    links: dict[str, str]
    settings: dict[str, str]
    view: object
    scenarios: tuple[Scenario, ...]

    @classmethod
    def of_hub(cls, lab: Lab) -> "Corpus":
        pristine = lab.scratch / "crash-hub"
        source, target = lab.corpus / "home" / HUB, pristine / "home" / HUB
        (target / ".locks").mkdir(parents=True)
        shutil.copytree(source / "blobs", target / "blobs", symlinks=True)
        for name in HUB_REPOSITORIES:
            shutil.copytree(source / name, target / name, symlinks=True)
            shutil.copytree(source / ".locks" / name, target / ".locks" / name, symlinks=True)
        return cls(lab, pristine, {}, {}, HubView, HUB_SCENARIOS)

    @cached_property
    def pool(self):
        global CORPUS
        CORPUS = self
        # Forked, so that the libraries are loaded once for all.
        return multiprocessing.get_context("fork").Pool(os.cpu_count() or 1)

    def play(self, scenario: Scenario, points: list[Point]) -> list[str]:
        tasks = [(scenario, point) for point in points]
        return [problem for problems in self.pool.imap(play, tasks, chunksize=4) for problem in problems]

    def numbered(self, scenario: Scenario, variant: str) -> list[int]:
        """The numbers of the calls that are points, and one more, which is never reached."""
        found = self.pool.apply(number, (scenario, variant))
        sparse = 1 if getattr(self.lab, "full", False) else SPARSE
        purge = [n for n, call in enumerate(found) if is_purge(call)]
        left_out = set(purge) - set(purge[::sparse])
        return [n for n in range(len(found) + 1) if n not in left_out]

    def killed(self, scenario: Scenario, variant: str) -> list[str]:
        points = [Point(variant, n) for n in self.numbered(scenario, variant)]
        if variant in ("clean", "undo"):
            points += [Point(variant, n, next="undo") for n in self.numbered(scenario, variant)]
        return self.play(scenario, points)

    def other(self, scenario: Scenario, ways: tuple[int, ...]) -> list[str]:
        numbers = self.numbered(scenario, "clean")
        return self.play(scenario, [Point("clean", n, way=ways[n % len(ways)]) for n in numbers])


CORPUS: Corpus
OWN: dict = {}


def trial(scenario: Scenario) -> Trial:
    """This process's own."""
    if "world" not in OWN:
        at = CORPUS.lab.scratch / f"crash-{os.getpid()}"
        OWN["world"] = World(CORPUS.lab, CORPUS.pristine, at, CORPUS.links, CORPUS.settings)
        OWN["view"] = CORPUS.view(OWN["world"])
    if scenario not in OWN:
        OWN[scenario] = Trial(OWN["world"], OWN["view"], scenario)
    return OWN[scenario]


def play(task: tuple[Scenario, Point]) -> list[str]:
    scenario, point = task
    return trial(scenario).play(point)


def number(scenario: Scenario, variant: str):
    it = trial(scenario)
    return it.calls(it.variants[variant])
