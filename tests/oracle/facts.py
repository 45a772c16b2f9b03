"""What the real library says about a home of the corpus (expected/hub*.json), in paths relative to that home."""

import json
import re
from functools import cached_property
from pathlib import Path

from sandbox import HUB, Node, snapshot, tree_of, weigh

REPOSITORY = re.compile(r"(models|datasets|spaces|kernels)--(?=[^-]).+")
TEMPORARY_REF = re.compile(r".*\.[0-9a-f]{8}\.tmp")  # a crash between write and rename; the library takes it for a ref


class Facts:
    """One home of the corpus with the library's answers."""

    def __init__(self, corpus: Path, home: str, answers: str):
        self.name, self.path = home, corpus / home
        self.answers = json.loads((corpus / "expected" / answers).read_text())
        self.scan = self.answers["scan"]
        # What is copied for a check: all of the home where links lead out of the cache.
        self.where = "." if (self.path / "outside").exists() else HUB

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {f"{self.prefix}{path}": n for path, n in snapshot(self.path / self.where).items()}

    @property
    def prefix(self) -> str:
        return "" if self.where == "." else f"{HUB}/"

    def home_relative(self, path: str) -> str:
        """A path of a scenario, which is relative to `where`."""
        return f"{self.prefix}{path}"

    # ------------------------------------------------------------ repositories and revisions

    @cached_property
    def repos(self) -> dict[str, dict]:
        """The library's repositories by the id that dscc gives them."""
        return {f"{repo['repo_type']}/{repo['repo_id']}": repo for repo in self.scan["repos"]}

    def folder(self, repo_id: str) -> str:
        return f"{HUB}/{self.repos[repo_id]['path']}"

    def is_moved(self, repo_id: str) -> bool:
        """The repository folder is a link: one entry without children, which weighs nothing."""
        return self.nodes[self.folder(repo_id)].kind == "link"

    @cached_property
    def revisions(self) -> dict[str, tuple[str, dict]]:
        """Repository id and the library's record of every revision, by the id that dscc gives it."""
        return {
            f"{repo_id}@{revision['commit_hash']}": (repo_id, revision)
            for repo_id, repo in self.repos.items()
            for revision in repo["revisions"]
            if not self.is_moved(repo_id)
        }

    @cached_property
    def warned(self) -> dict[str, str]:
        """Repositories that the library refuses to list: the folder by the id that dscc gives it."""
        kinds = {f"{kind}s": kind for kind in ("model", "dataset", "space", "kernel")}
        found = {}
        for warning in self.scan["warnings"]:
            for name in re.findall(r"\{cache\}/([^/)]+)", warning):
                if REPOSITORY.fullmatch(name):
                    kind, _, rest = name.partition("--")
                    found[f"{kinds[kind]}/{rest.replace('--', '/')}"] = f"{HUB}/{name}"
        return found

    # ------------------------------------------------------------ what belongs to a revision besides its content

    def refs(self, repo_id: str, commit: str) -> set[str]:
        """The ref files that hold a commit."""
        found = tree_of(self.nodes, f"{self.folder(repo_id)}/refs")
        return {p for p in found if self.nodes[p].kind == "file" and (self.path / p).read_text().strip() == commit}

    def records(self, repo_id: str, commit: str) -> set[str]:
        """What the library forgets when it deletes a revision: its file list and the files it is known not to have."""
        folder = self.folder(repo_id)
        listed = {f"{folder}/trees/{commit}.json"} & self.nodes.keys()
        return listed | tree_of(self.nodes, f"{folder}/.no_exist/{commit}")

    def locks(self, repo_id: str) -> set[str]:
        return tree_of(self.nodes, f"{HUB}/.locks/{self.repos[repo_id]['path']}")

    def weight(self, paths) -> int:
        return weigh(self.nodes[path] for path in paths)

    # ------------------------------------------------------------ the shared store

    @cached_property
    def has_store(self) -> bool:
        """Whether `blobs/` is a store of the layout that is known."""
        marker = self.path / HUB / "blobs" / ".huggingface-shared-blobs"
        return marker.is_file() and marker.read_bytes() == b"1\n"

    def payload(self, blob: str) -> str | None:
        """The payload in the shared store that a repository's blob (relative to the hub) is a link to."""
        n = self.nodes.get(f"{HUB}/{blob}")
        if n is None or n.kind != "link" or not n.content.startswith("../../blobs/"):
            return None
        return f"{HUB}/{n.content.removeprefix('../../')}"


def all_facts(corpus: Path) -> dict[str, Facts]:
    return {
        "home": Facts(corpus, "home", "hub.json"),
        "nosymlink": Facts(corpus, "nosymlink", "hub-nosymlink.json"),
        "broken": Facts(corpus, "broken", "hub-broken.json"),
        "renamed": Facts(corpus, "renamed", "hub-renamed.json"),
    }
