"""tests/roots.json, which dscc is compared with by `tests/cli/roots_of_libraries.rs`, has what the real libraries say.
And the hub's root is where the real library looks, for every setting of expected/paths.json, with what is in it.

dscc refuses what the library would take relative to the working folder, names the variable, and tries nothing else.
"""

import json
import os
import shutil
from pathlib import Path

import roots_table
from facts import Facts
from sandbox import Lab

CONTENT = b"content"


def checks(lab: Lab, homes: dict[str, Facts]):
    yield "the table of settings and roots has the libraries' own answers", table_is_true
    if not homes:
        return
    for case in json.loads((lab.corpus / "expected" / "paths.json").read_text()):
        setting = " ".join(f"{name}={value}" for name, value in case["env"].items()) or "nothing set"
        yield f"the root is the library's: {setting}", lambda case=case: compare(lab, case)


def table_is_true() -> list[str]:
    table = json.loads(roots_table.TABLE.read_text())
    said = [{}, *(row["roots"] for row in table["settings"])]
    settings = [{}, *(row["set"] for row in table["settings"])]
    return [
        f"{setting}: {question} is {path}, the table says {known}"
        for setting, differs, answers in zip(settings, said, roots_table.ask(settings), strict=True)
        for question, path in answers.items()
        if (known := (table["usual"] | differs).get(question)) != path
    ]


def compare(lab: Lab, case: dict) -> list[str]:
    work = lab.scratch / "roots"
    home, cwd, absolute = work / "home", work / "cwd", work / "abs"

    def real(text: str) -> str:
        for sign, folder in [("/home/user", home), ("/cwd", cwd), ("/abs", absolute)]:
            text = text.replace(sign, str(folder)) if text.startswith(sign) else text
        return text

    for folder in (home, cwd, absolute):
        folder.mkdir(parents=True)
    try:
        env = {name: real(value) for name, value in case["env"].items()}
        library = real(case["huggingface_hub"]["HF_HUB_CACHE"])
        for root in {str(home / ".cache/huggingface/hub"), os.path.join(cwd, library)}:
            make_hub(Path(root))
        known = lab.run(home, "paths", "--json", cwd=cwd, **env)
        listed = lab.run(home, "list", "--json", cwd=cwd, **env)
    finally:
        shutil.rmtree(work)
    if known.status or listed.status:
        return [str(known), str(listed)]
    roots = [root for root in known.json["roots"] if (root["plugin"], root["rule"]) == ("hf-hub", "hub")]
    caches = [cache for cache in listed.json["caches"] if cache["cache"] == "hub"]
    if os.path.isabs(library):
        return found(library, roots, caches)
    variable = next(name for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME") if name in env)
    return refused(variable, roots, caches, listed.json["errors"])


def make_hub(root: Path) -> None:
    """One repository with one file."""
    repo, commit = root / "models--acme--one", "ab" * 20
    for folder in ("blobs", "refs", f"snapshots/{commit}"):
        (repo / folder).mkdir(parents=True)
    (repo / "blobs" / ("cd" * 20)).write_bytes(CONTENT)
    (repo / "refs" / "main").write_text(commit)
    (repo / "snapshots" / commit / "file").symlink_to(f"../../blobs/{'cd' * 20}")


def found(library: str, roots: list[dict], caches: list[dict]) -> list[str]:
    problems = []
    if [root["path"] for root in roots] != [library]:
        problems.append(f"`paths` says {roots}, the library {library}")
    if [(cache["root"], cache["entries"]) for cache in caches] != [(library, 1)]:
        problems.append(f"`list` finds {[(c['root'], c['entries']) for c in caches]}, the library is in {library}")
    return problems


def refused(variable: str, roots: list[dict], caches: list[dict], errors: list[dict]) -> list[str]:
    problems = [f"`list` finds {cache['root']}, though {variable} is refused" for cache in caches]
    if not any(variable in (root["message"] or "") for root in roots):
        problems.append(f"`paths` does not name {variable}: {roots}")
    if not any(variable in error["message"] for error in errors):
        problems.append(f"`list` does not warn about {variable}: {errors}")
    return problems
