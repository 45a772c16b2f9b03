#!/usr/bin/env python3
"""Times dscc beside disk-usage tools, `hf cache ls` and `rm -rf`, on a large home that make_big_hub.py makes.

usage: bench.py [--scale N] [--runs N] [--dscc PATH] [--dir DIR] [PART ...]

Tools that are not installed are left out: du, diskus, pdu, dua, dust, gdu, ncdu, hf. Each table gives medians over
runs in turn, after one round that warms the page cache. Memory is the peak of the process (`ru_maxrss`), which starts
from that of this script: a command that does nothing shows how much that is. CPU is user and system time: far below the
median, it says that the command waited, so that on a busy machine the ratio tells of the others, not of the tool.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
HUB = ".cache/huggingface/hub"
WIDE = ".ir_datasets"
PLUGINS = 50
DISK_TOOLS = {  # the arguments before the folders: one total, no interface
    "du": ["-s"],
    "diskus": [],
    "pdu": [],
    "dua": [],
    "dust": ["-d", "0"],
    "gdu": ["-n", "-p", "-c", "-s"],
    "ncdu": ["-0", "-o", "/dev/null"],
}


@dataclass
class Command:
    """One line of a table."""

    name: str
    args: list[str]
    env: dict[str, str]
    runs: int
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: int = 0  # KiB
    prepare: object = None  # called before each run

    def run(self, record: bool = True) -> None:
        if self.prepare:
            self.prepare()
        start = time.perf_counter()
        process = subprocess.Popen(
            self.args, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(self.args)} exited with {process.returncode}: {errors.decode()[-1000:]}")
        if record:
            self.seconds.append(seconds)
            self.cpu.append(usage.ru_utime + usage.ru_stime)
            self.memory = max(self.memory, usage.ru_maxrss)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


class Bench:
    def __init__(self, dscc: Path, folder: Path, scale: float, runs: int):
        self.dscc, self.folder, self.scale, self.runs = dscc.resolve(), folder.resolve(), scale, runs

    def environment(self, home: Path, cache: str = "dscc-cache") -> dict[str, str]:
        """A home, and dscc's own folders elsewhere."""
        own = self.folder / "own"
        folders = {"CONFIG": own / "config.toml", "PLUGINS_DIR": own / "plugins", "STATE_DIR": own / "state"}
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "DSCC_CACHE_DIR": str(own / cache)}
        return env | {f"DSCC_{name}": str(path) for name, path in folders.items()}

    def command(self, home: Path, *args: str, name: str = "", cache: str = "dscc-cache", **more) -> Command:
        title = name or f"dscc {' '.join(args)}"
        return Command(title, [str(self.dscc), *args], self.environment(home, cache), **{"runs": self.runs, **more})

    def home(self, scale: float) -> Path:
        """A large home of that scale, made once."""
        home = self.folder / f"home-{scale:g}"
        if not home.exists():
            print(f"making {home} ...", file=sys.stderr, flush=True)
            making = self.folder / "making"
            shutil.rmtree(making, ignore_errors=True)
            subprocess.run([sys.executable, HERE / "make_big_hub.py", making, "--scale", str(scale)], check=True)
            making.rename(home)
        return home

    def roots(self, home: Path) -> list[str]:
        """The folders that `dscc list` weighs: the other tools get the same ones."""
        listed = subprocess.run(
            [self.dscc, "list", "--json"], env=self.environment(home), capture_output=True, check=True
        )
        return sorted({cache["root"] for cache in json.loads(listed.stdout)["caches"]})

    # ------------------------------------------------------------ the tables

    def listing(self) -> None:
        home = self.home(self.scale)
        folders = self.roots(home)
        entries = sum(len(d) + len(f) for folder in folders for _, d, f in os.walk(folder))
        commands = [self.command(home, "list")]
        for tool, args in DISK_TOOLS.items():
            several = tool not in ("gdu", "ncdu")
            if shutil.which(tool) and (several or len(folders) == 1):
                env = self.environment(home)
                commands.append(Command(tool, [tool, *args, *folders], env, self.runs))
        others = list(commands[1:])
        if hf := shutil.which("hf"):
            commands.append(Command("hf cache ls", [hf, "cache", "ls"], self.environment(home), min(self.runs, 2)))
        in_turn([*commands, Command("(nothing)", ["true"], self.environment(home), self.runs)])
        table(f"{entries:,} entries in {', '.join(folders)}", commands, others)

        show = self.command(home, "show", "-c", "hub", "--json", "--children")
        in_turn([show])
        table("every revision of that hub", [show], [])

    def starting(self) -> None:
        empty = self.folder / "empty-home"
        empty.mkdir(exist_ok=True)
        # Nothing is compiled before something is found.
        small = self.folder / "small-home"
        (small / HUB / "models--acme--a" / "refs").mkdir(parents=True, exist_ok=True)

        def forget() -> None:
            shutil.rmtree(self.folder / "own" / "no-cache", ignore_errors=True)

        runs = max(self.runs, 20)
        first = self.command(small, "list", name="first run ever, a hub", cache="no-cache", prepare=forget)
        nothing = Command("(nothing)", ["true"], {}, runs)
        commands = [self.command(empty, "list", name="dscc list, empty home", runs=runs), first]
        commands += [self.command(small, "list", name="dscc list, an empty hub", runs=runs), nothing]
        in_turn(commands)
        table("starting", commands, [])

    def plugins(self) -> None:
        """Many installed plugins: a component of the tests, each copy with a name, a rule and a folder of its own."""
        component = (HERE.parent / "versions" / "plugin-0.1.wasm").read_bytes()
        homes = {name: self.folder / f"plugins-{name}" for name in ("empty", "full")}
        for home in homes.values():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
        for number in range(PLUGINS):
            name = f"fix{number:04}"
            (homes["full"] / name / "thing").mkdir(parents=True)
            copy = self.folder / "component.wasm"
            copy.write_bytes(component.replace(b"fixture", name.encode()))
            for home in homes.values():
                env = self.environment(home) | {"DSCC_PLUGINS_DIR": str(home / "plugins")}
                add = [self.dscc, "plugin", "add", "-y", "-q", str(copy)]
                subprocess.run(add, env=env, stdout=subprocess.DEVNULL, check=True)
        commands = []
        for name, what in (("empty", "nothing to show"), ("full", "a folder for each")):
            env = self.environment(homes[name]) | {"DSCC_PLUGINS_DIR": str(homes[name] / "plugins")}
            for args in (["list"], ["plugin", "list"]):
                title = f"dscc {' '.join(args)}, {what}"
                commands.append(Command(title, [str(self.dscc), *args], env, max(self.runs, 20)))
        in_turn(commands)
        table(f"{PLUGINS} installed plugins", commands, [])

    def removal(self) -> None:
        """A hub, and trees of 200,000 files: of the same size each, once in many folders and once in one."""
        source = self.home(min(self.scale, 0.5))
        self.removed("a hub", source, HUB, "hub")
        for folders, files in ((2000, 100), (1, 200_000)):
            self.removed(f"{folders:,} x {files:,} files", self.wide(folders, files), WIDE, "ir_datasets")

    def wide(self, folders: int, files: int) -> Path:
        """A home with so many small files in each of so many folders, made once."""
        home = self.folder / f"wide-{folders}x{files}"
        if not home.exists():
            making = self.folder / "making"
            shutil.rmtree(making, ignore_errors=True)
            for folder in range(folders):
                # An unpacked archive: one entry, of which every folder may be.
                at = making / WIDE / "lotte" / "lotte_extracted" / f"{folder:04}"
                at.mkdir(parents=True)
                for file in range(files):
                    (at / f"{file:06}.json").write_bytes(b"x")
            making.rename(home)
        return home

    def removed(self, title: str, source: Path, root: str, cache: str) -> None:
        copy = self.folder / "copy"

        def fresh() -> None:
            shutil.rmtree(copy, ignore_errors=True)
            (copy / root).parent.mkdir(parents=True)
            subprocess.run(["cp", "-a", source / root, copy / root], check=True)
            os.sync()  # else one removal pays for writing what the copy before it made

        args = ("clean", "-c", cache, "--all", "-y", "--grace", "0s")
        clean = self.command(copy, *args, name=f"dscc clean, {title}", prepare=fresh)
        remove = Command("rm -rf", ["rm", "-rf", str(copy / root)], self.environment(copy), self.runs, prepare=fresh)
        in_turn([clean, remove])
        entries = sum(len(d) + len(f) for _, d, f in os.walk(source / root))
        table(f"removal of {entries:,} entries", [clean, remove], [remove])
        clean.prepare()
        clean.prepare = None
        clean.run(record=False)
        left = sum(len(files) for _, _, files in os.walk(copy / root))
        print(f"left by dscc: {left} files")
        if left > entries // 2:
            sys.exit("dscc removed little or nothing: there is nothing to compare")
        shutil.rmtree(copy)


def in_turn(commands: list[Command]) -> None:
    for command in commands:
        command.run(record=False)
    for turn in range(max(command.runs for command in commands)):
        for command in commands:
            if turn < command.runs:
                command.run()


def table(title: str, commands: list[Command], others: list[Command]) -> None:
    """Medians, the ratio to the fastest of the others, and peak memory."""
    fastest = min((command.median for command in others), default=None)
    print(f"\n{title}\n{'':38} {'median':>10} {'fastest':>10} {'cpu':>10} {'ratio':>7} {'memory':>10}  runs")
    for command in commands:
        ratio = f"{command.median / fastest:.2f}" if fastest else ""
        figures = (command.median, min(command.seconds), statistics.median(command.cpu))
        times = " ".join(f"{1000 * figure:7.1f} ms" for figure in figures)
        print(
            f"{command.name:38} {times} {ratio:>7} {command.memory / 1024:6.1f} MiB  {len(command.seconds)}", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1, help="1 is about 100,000 directory entries (default)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each command (default 5)")
    parser.add_argument("--dscc", type=Path, default=Path("target/release/dscc"), help="default target/release/dscc")
    parser.add_argument("--dir", type=Path, default=Path("target/bench"), help="where homes are made and kept")
    parts = ("starting", "plugins", "listing", "removal")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"which tables (default all): {', '.join(parts)}")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(parts):
        sys.exit(f"there is no such part: {', '.join(unknown)}")
    if not args.dscc.is_file():
        sys.exit(f"{args.dscc} is not there: cargo build --release, or --dscc PATH")
    args.dir.mkdir(parents=True, exist_ok=True)
    bench = Bench(args.dscc, args.dir, args.scale, args.runs)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, {args.runs} runs in turn, warm page cache")
    if load > os.cpu_count() / 2:
        print("THE MACHINE IS BUSY: these figures are worth nothing as a comparison")
    for part in args.parts or parts:
        getattr(bench, part)()


if __name__ == "__main__":
    main()
