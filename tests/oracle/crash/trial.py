"""One point of one command: the home is made anew, the command is stopped there, and everything is judged: what the
kill left, and what the next command makes of it."""

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from crash.stopper import GO_ON, INTERRUPT, KILL, Call, Ended
from crash.world import Nodes, World, difference

PURGE = re.compile(r"/\.dscc-quarantine-\d+/[^/]+/")
INTERRUPTED = 130
UNRECORDED = "clean --no-record"
NOBODY = "no/such-entry"  # names nothing: such a run only brings others to an end


@dataclass(frozen=True)
class Scenario:
    """What is removed."""

    title: str
    cache: str
    entries: tuple[str, ...]
    thorough: bool = True  # or only by plain `clean`

    def variants(self) -> dict[str, "Variant"]:
        keep = self.clean("--keep-undo")
        found = [
            Variant("clean", (), self.clean()),
            Variant("clean --keep-undo", (), keep),
            Variant("undo", (keep,), ("undo",)),
            Variant("undo --discard", (keep,), ("undo", "--discard", "-y")),
            Variant(UNRECORDED, (), self.clean("--no-record")),
        ]
        return {variant.name: variant for variant in found[: None if self.thorough else 1]}

    def clean(self, *options: str) -> tuple[str, ...]:
        return ("clean", "-y", "-c", self.cache, *self.entries, "--grace", "0s", *options)


@dataclass(frozen=True)
class Variant:
    """How it is removed: what is run before, and what is stopped."""

    name: str
    first: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """Where a command is stopped, and how it goes on: `next` is `clean` or `undo`, `again` where that is killed too."""

    variant: str
    number: int
    way: int = KILL
    next: str = "clean"
    again: int | None = None


def is_purge(call: Call) -> bool:
    """Whether a call deletes what is out of the cache already."""
    return call.name in ("unlinkat", "unlink", "rmdir") and any(PURGE.search(path) for path in call.paths)


class Trial:
    """A scenario in a world, seen by a library."""

    def __init__(self, world: World, view, scenario: Scenario):
        self.world, self.view, self.scenario = world, view, scenario
        self.variants = scenario.variants()
        self.seen: dict[frozenset, list[str]] = {}
        self.before = world.restore()
        self.was = view.look()
        answer = world.dscc(*scenario.clean())
        if answer.status:
            raise AssertionError(str(answer))
        self.final = world.nodes()
        self.kept = {path for path in self.final if self.final[path].content == self.before[path].content}

    def start(self, variant: Variant) -> None:
        self.before = self.world.restore()
        for command in variant.first:
            answer = self.world.dscc(*command)
            if answer.status:
                raise AssertionError(str(answer))

    def calls(self, name: str) -> list[Call]:
        """All calls of a command, in the order in which they come today."""
        variant = self.variants[name]
        self.start(variant)
        ended = self.world.stop(variant.command, lambda number, call: GO_ON)
        if ended.status:
            raise AssertionError(f"{' '.join(variant.command)} ended with {ended.status}: {ended.stderr}")
        return ended.calls

    def calls_after(self, point: Point) -> int:
        """How many calls the next run makes."""
        variant = self.variants[point.variant]
        self.start(variant)
        self.world.stop(variant.command, lambda number, call: KILL if number == point.number else GO_ON)
        return len(self.world.stop(self.next(point), lambda number, call: GO_ON).calls)

    # ------------------------------------------------------------ one point

    def play(self, point: Point) -> list[tuple[str, str]]:
        """The problems, and where each was found."""
        variant = self.variants[point.variant]
        self.start(variant)
        ended = self.world.stop(variant.command, lambda number, call: point.way if number == point.number else GO_ON)
        where = self.describe(point, ended)
        problems = self.ending(point, ended) + self.valid("then") + self.listed()
        if ended.status == 0:
            # Whoever says that all is done has done it all.
            wanted = self.before if variant.name == "undo" else self.final
            problems += difference(self.world.nodes(), wanted, inodes=False, times=False)
        if point.again is not None:
            killed = self.world.stop(self.next(point), lambda number, call: KILL if number == point.again else GO_ON)
            where += f", and the next run {self.describe(Point(variant.name, point.again), killed)}"
            problems += self.valid("after the next run was killed as well") + self.listed()
        problems += self.brought_to_an_end(point, ended, variant)
        return [(problem, where) for problem in problems]

    def describe(self, point: Point, ended: Ended) -> str:
        if point.number >= len(ended.calls):
            return "at its end"
        call = ended.calls[point.number]
        paths = " ".join(path.replace(f"{self.world.live}/", "") for path in call.paths)
        how = {KILL: "killed before", INTERRUPT: "interrupted before"}.get(point.way, f"failing ({point.way}) in")
        return f"{how} call {point.number}, {call.name} {paths}"

    def ending(self, point: Point, ended: Ended) -> list[str]:
        if point.number >= len(ended.calls):
            wanted = (0,)
        elif point.way == KILL:
            wanted = (-9,)
        elif point.way == INTERRUPT:
            wanted = (0, 1, INTERRUPTED, -signal.SIGINT)  # which kills before anything was begun
        else:
            wanted = (0, 1)
        return [] if ended.status in wanted else [f"exit status {ended.status}: {ended.stderr[-500:]}"]

    def next(self, point: Point) -> tuple[str, ...]:
        return ("undo",) if point.next == "undo" else ("clean", "-y", "-c", self.scenario.cache, NOBODY)

    # ------------------------------------------------------------ judgements

    def valid(self, when: str) -> list[str]:
        """Nothing that was to stay is lost or changed, nothing is new, and the library finds nothing broken."""
        nodes = self.world.nodes()
        problems = [f"new: {path}" for path in nodes.keys() - self.before.keys()]
        wanted = {path: self.before[path] for path in self.kept}
        stayed = {path: n for path, n in nodes.items() if path in self.kept}
        problems += difference(stayed, wanted, inodes=True, times=False)
        for path in self.before.keys() & self.final.keys() & nodes.keys() - self.kept:
            if nodes[path].content not in (self.before[path].content, self.final[path].content):
                problems.append(f"{path} is neither as it was nor as it was to be")
        problems += self.of_library(nodes)
        return [f"{when}: {problem}" for problem in problems]

    def of_library(self, nodes: Nodes) -> list[str]:
        """It is asked once about each tree."""
        tree = frozenset((path, n.content) for path, n in nodes.items())
        if tree not in self.seen:
            kept = {path: self.before[path] for path in self.kept}
            self.seen[tree] = self.view.problems(self.was, self.view.look(), self.before, kept, nodes)
        return self.seen[tree]

    def listed(self) -> list[str]:
        """`dscc list` weighs what is there, and says what waits."""
        answer = self.world.dscc("list", "--json")
        if answer.status:
            return [str(answer)]
        problems = []
        for row in answer.json["caches"]:
            true = self.world.weight(Path(row["root"]), self.view.hidden)
            if row["size"] != true:
                problems.append(f"`list` says {row['size']} for {row['cache']}, a recount {true}")
        said, true = sum(row["size"] for row in answer.json["held"]), self.world.waiting()
        if said != true:
            problems.append(f"`list` says that {said} bytes wait, a recount {true}")
        return problems

    def brought_to_an_end(self, point: Point, ended: Ended, variant: Variant) -> list[str]:
        """The next run finishes or undoes it; what is kept for undo after that comes back with `undo`."""
        answer = self.world.dscc(*self.next(point))
        if point.next == "undo" and answer.status:
            # It had nothing to put back: what is partly deleted is for the next run to finish.
            answer = self.world.dscc(*self.next(Point("", 0)))
        nodes = self.world.nodes()
        as_before = not difference(nodes, self.before, inodes=True, times=False)
        as_final = not difference(nodes, self.final, inodes=False, times=False)
        problems = [] if answer.status in (0, 5) else [str(answer)]
        if point.way == KILL and variant.name != UNRECORDED and not as_before and not as_final:
            problems.append("the next run neither finished nor undid it:")
            problems += [f"- from before: {it}" for it in difference(nodes, self.before, inodes=True, times=False)]
            problems += [f"- from the end: {it}" for it in difference(nodes, self.final, inodes=False, times=False)]
        problems += self.valid("after the next run") + self.listed()
        left = self.world.left_behind()
        if variant.name == UNRECORDED:
            # Without a record nobody knows where a new index was being written: the next time it is written, it goes.
            problems += [f"left behind: {path}" for path in left if not path.endswith(".tmp")]
        elif left and as_final and variant.name != "clean":
            answer = self.world.dscc("undo")
            back = difference(self.world.nodes(), self.before, inodes=True, times=True)
            problems += [f"`undo` does not bring it back: {answer}", *back] if answer.status or back else []
            as_before = False  # said already
            problems += [f"left behind after `undo`: {path}" for path in self.world.left_behind()]
        else:
            problems += [f"left behind: {path}" for path in left]
        if as_before:
            problems += difference(nodes, self.before, inodes=True, times=True)
        return problems
