"""What the real libraries see in a cache of which a part is gone, each asked in this process or a fork of it."""

import json
import os
import sys
from pathlib import Path

from crash.world import Nodes, World
from sandbox import HUB, beneath


class HubView:
    """huggingface_hub's scan."""

    hidden = ()

    def __init__(self, world: World):
        self.cache = world.home / HUB

    def look(self) -> dict:
        from _hf_oracle import scan

        now = scan(self.cache)
        now["manifests"] = {
            path.relative_to(self.cache).as_posix(): path.read_text().splitlines()
            for path in (self.cache / "blobs").glob("*/*.refs")
        }
        return now

    def problems(self, was: dict, now: dict, before: Nodes, kept: Nodes, nodes: Nodes) -> list[str]:
        found = [f"new warning: {it}" for it in set(now["warnings"]) - set(was["warnings"])]
        old = {(r["path"], v["commit_hash"]): v for r in was["repos"] for v in r["revisions"]}
        new = {(r["path"], v["commit_hash"]): v for r in now["repos"] for v in r["revisions"]}
        found += [f"a revision appeared: {key}" for key in new.keys() - old.keys()]
        for key, revision in old.items():
            folder = f"home/{HUB}/{key[0]}/snapshots/{key[1]}"
            if key not in new:
                found += [f"the library misses {key}"] if folder in kept else []
                continue
            if new[key]["files"] != revision["files"]:
                found.append(f"a broken snapshot: {key} has {len(new[key]['files'])} of {len(revision['files'])} files")
            lost = set(revision["refs"]) - set(new[key]["refs"])
            if lost and any(f"home/{HUB}/{key[0]}/refs/{ref}" in kept for ref in lost):
                found.append(f"{key} lost {lost}")
        lost = was["incomplete_files"].keys() - now["incomplete_files"].keys()
        found += [f"the library misses {it}" for it in lost if f"home/{HUB}/{it}" in kept]
        return found + self.unlisted(was, now, nodes) + dangling(nodes, before)

    def unlisted(self, was: dict, now: dict, nodes: Nodes) -> list[str]:
        """Whoever links to a payload stays in its list of holders, or the library deletes it under them."""
        return [
            f"{line} is not in {path} any more, and still links to the payload"
            for path, lines in was["manifests"].items()
            if path in now["manifests"]
            for line in lines
            if f"home/{HUB}/{line}" in nodes and line not in now["manifests"][path]
        ]


def dangling(nodes: Nodes, before: Nodes) -> list[str]:
    """Links within the cache that led somewhere and do not any more."""
    found = []
    for path, n in nodes.items():
        if n.kind != "link" or n.content.startswith(("/", "{")):
            continue
        target = os.path.normpath(os.path.join(os.path.dirname(path), n.content))
        if target in before and target not in nodes:
            found.append(f"{path} leads to {target}, which is gone")
    return found


class ForkedView:
    """A library that was loaded for a fixed home answers about a copy at that place, in a fork: it may change both."""

    def __init__(self, world: World, settings: dict[str, str]):
        self.world = world
        os.environ.update({"HOME": str(world.asked / "home"), "no_proxy": "", "NO_PROXY": "", **settings})
        world.restore()
        world.copy_to_ask()

    def look(self) -> dict:
        self.world.copy_to_ask()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            self.answer(writer)
        os.close(writer)
        with os.fdopen(reader) as said:
            text = said.read()
        _, status = os.waitpid(child, 0)
        if status or not text:
            raise RuntimeError(f"the library ended with {status}")
        return json.loads(text)

    def answer(self, writer: int) -> None:
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            os.write(writer, json.dumps(self.ask()).encode())
            os._exit(0)
        except BaseException as error:
            os.write(writer, json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode())
        finally:
            os._exit(1)

    def ask(self) -> dict:
        raise NotImplementedError


class IrView(ForkedView):
    """ir_datasets, which downloads again what is gone, and must give the same answers in every state."""

    hidden = ("auth",)

    def __init__(self, world: World, proxy: str, wishes: tuple[str, ...]):
        own = {"IR_DATASETS_TMP": str(world.asked / "tmp/ir_datasets"), "IR_DATASETS_SMALL_FILE_SIZE": "20000"}
        quiet = {"IR_DATASETS_DL_DISABLE_PBAR": "true", "IR_DATASETS_DL_TRIES": "1"}
        super().__init__(world, own | quiet | {"http_proxy": proxy, "HTTP_PROXY": proxy})
        import _ir_work

        self.work, self.library, self.wishes = _ir_work, _ir_work.load_library(), wishes

    def ask(self) -> dict:
        return self.work.work_ask(self.library, *self.wishes)

    def problems(self, was: dict, now: dict, before: Nodes, kept: Nodes, nodes: Nodes) -> list[str]:
        return [f"{wish}: {now.get(wish, now)}, before {said}" for wish, said in was.items() if now.get(wish) != said]


class DatamaestroView(ForkedView):
    """datamaestro, for which a dataset is as it was, or not prepared."""

    hidden = ()

    def __init__(self, world: World, proxy: str, plugins: Path):
        super().__init__(world, {"http_proxy": proxy, "HTTP_PROXY": proxy})
        sys.path.insert(0, str(plugins))
        import datamaestro.context  # noqa: F401  for all forks

    def ask(self) -> dict:
        from _dm_library import WORKER

        report = self.world.asked / "report.json"
        sys.argv = ["", json.dumps(["report"]), str(report)]
        exec(compile(WORKER, "worker", "exec"), {"__name__": "worker"})
        return json.loads(report.read_text())[0]["datasets"]

    def problems(self, was: dict, now: dict, before: Nodes, kept: Nodes, nodes: Nodes) -> list[str]:
        if "failed" in now:
            return [f"the library cannot read its folder: {now['failed']}"]
        folders = {name: self.folder(row) for name, row in was.items()}
        found = []
        for name, row in was.items():
            inner = [it for it in folders.values() if it != folders[name] and beneath(it, folders[name])]
            own = {p for p in before if beneath(p, folders[name]) and not any(beneath(p, it) for it in inner)}
            if own and own <= kept.keys() and now[name] != row:
                found.append(f"the library's {name} is {now[name]}, but was {row}")
            # Without its record it is taken for whole if its files are there, and they are.
            lost = sorted(path for path in own - nodes.keys() if before[path].kind != "dir" and "/.state." not in path)
            if lost and now[name]["prepared"]:
                found.append(f"{name} is whole for the library, without {lost[:4]}")
        return found

    def folder(self, row: dict) -> str:
        return Path(row["folder"]).relative_to(self.world.asked).as_posix()
