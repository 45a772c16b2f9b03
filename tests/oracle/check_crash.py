"""Killed before any of its system calls, dscc leaves a cache that the real library accepts, with all that was to stay; the
next run finishes or undoes what was begun.

By default each call is a point but those that delete what is out of the cache already, of which each 20th is; `--full`
takes them all, and kills the run after the kill at more points.
"""

import errno
import multiprocessing
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from _dm_definitions import DATASETS, FILES, HOST, QRELS, plugin
from _ir_content import address, served
from _ircommon import Loopback, md5
from crash import stopper
from crash.corpora import Corpus, of_datamaestro, of_hub, of_ir
from crash.trial import Point, Scenario, Trial, is_purge
from sandbox import Lab, Skipped

SPARSE = 20  # one of so many deletions of what is out of the cache
AGAIN = 7  # after one of so many points the next run is killed as well, at one of so many calls
ERRORS = (errno.EIO, errno.ENOSPC, errno.EACCES)
TWICE = ("clean", "undo")  # variants after which both `clean` and `undo` are tried


def checks(lab: Lab, _homes: dict):
    if why := stopper.impossible(lab.scratch):
        yield "killed at any point", lambda: skip(why)
        return
    with corpus_of(lab) as corpus, Players(corpus) as players:
        for scenario in corpus.scenarios:
            for title, check in of_scenario(players, scenario):
                yield f"{title}: {scenario.cache}: {scenario.title}", check


def skip(why: str):
    raise Skipped(why)


def of_scenario(players: "Players", scenario: Scenario) -> Iterator[tuple[str, Callable]]:
    for variant in scenario.variants():
        yield f"{variant} is killed at any point", lambda v=variant: players.killed(scenario, v)
    if len(scenario.variants()) > 1:
        yield "clean is killed, and the next run as well", lambda: players.killed_again(scenario)
        yield "any call of clean fails", lambda: players.fails(scenario)
        yield "clean is interrupted at any point", lambda: players.interrupted(scenario)


@contextmanager
def corpus_of(lab: Lab) -> Iterator[Corpus]:
    if lab.library == "hf":
        yield of_hub(lab)
    elif lab.library == "ir":
        with Loopback({address(*key): content for key, content in served().items()}) as net:
            yield of_ir(lab, net.proxy)
    else:
        plugins = lab.scratch / "crash-plugins"
        plugin(plugins, DATASETS % {"host": HOST, "qrels_md5": md5(QRELS)})
        with Loopback(FILES) as net:
            yield of_datamaestro(lab, net.proxy, plugins)


class Players:
    """Processes that play points, each in a world of its own."""

    def __init__(self, corpus: Corpus):
        self.corpus = corpus

    def __enter__(self) -> "Players":
        start = (self.corpus,)
        self.pool = multiprocessing.get_context("fork").Pool(os.cpu_count(), initializer=Player.start, initargs=start)
        return self

    def __exit__(self, *_) -> None:
        self.pool.terminate()
        self.pool.join()

    def play(self, scenario: Scenario, points: list[Point]) -> list[str]:
        """The problems, those of one kind once."""
        found: dict[str, list[tuple[str, str]]] = {}
        tasks = [(scenario, point) for point in points]
        for problems in self.pool.imap_unordered(Player.play, tasks, chunksize=2):
            for problem, where in problems:
                found.setdefault(re.sub(r"[0-9a-f]{2,}|\d", "#", problem), []).append((problem, where))
        return [f"{same[0][0]} ({same[0][1]}; {len(same)} of {len(points)} points)" for same in found.values()]

    def points(self, scenario: Scenario, variant: str) -> list[int]:
        """The numbers of the calls that are points, and one more, which is never reached."""
        calls = self.pool.apply(Player.calls, (scenario, variant))
        purge = [number for number, call in enumerate(calls) if is_purge(call)]
        left_out = set() if self.corpus.lab.full else set(purge) - set(purge[::SPARSE])
        return [number for number in range(len(calls) + 1) if number not in left_out]

    # ------------------------------------------------------------ checks

    def killed(self, scenario: Scenario, variant: str) -> list[str]:
        numbers = self.points(scenario, variant)
        points = [Point(variant, number) for number in numbers]
        if variant in TWICE:
            points += [Point(variant, number, next="undo") for number in numbers]
        return self.play(scenario, points)

    def killed_again(self, scenario: Scenario) -> list[str]:
        step = 1 if self.corpus.lab.full else AGAIN
        points = []
        for number in self.points(scenario, "clean")[::AGAIN]:
            calls = self.pool.apply(Player.calls_after, (scenario, Point("clean", number)))
            points += [Point("clean", number, again=again) for again in range(number % step, calls, step)]
        return self.play(scenario, points)

    def fails(self, scenario: Scenario) -> list[str]:
        numbers = enumerate(self.points(scenario, "clean")[:-1])
        return self.play(scenario, [Point("clean", number, way=ERRORS[at % len(ERRORS)]) for at, number in numbers])

    def interrupted(self, scenario: Scenario) -> list[str]:
        numbers = self.points(scenario, "clean")[:-1]
        return self.play(scenario, [Point("clean", number, way=stopper.INTERRUPT) for number in numbers])


class Player:
    """One of the processes: its world, the library in it, and its trials."""

    own: "Player"

    def __init__(self, corpus: Corpus):
        self.world = corpus.world(corpus.lab.scratch / f"crash-{os.getpid()}")
        self.view = corpus.view(self.world)
        self.trials: dict[Scenario, Trial] = {}

    @staticmethod
    def start(corpus: Corpus) -> None:
        Player.own = Player(corpus)

    def trial(self, scenario: Scenario) -> Trial:
        if scenario not in self.trials:
            self.trials[scenario] = Trial(self.world, self.view, scenario)
        return self.trials[scenario]

    @staticmethod
    def play(task: tuple[Scenario, Point]) -> list[tuple[str, str]]:
        scenario, point = task
        return Player.own.trial(scenario).play(point)

    @staticmethod
    def calls(scenario: Scenario, variant: str) -> list[stopper.Call]:
        return Player.own.trial(scenario).calls(variant)

    @staticmethod
    def calls_after(scenario: Scenario, point: Point) -> int:
        """How many calls the run makes that comes after a kill."""
        return Player.own.trial(scenario).calls_after(point)
