"""What transformers 4.21 itself finds in folders of its flat cache. Run by check_transformers.py in a process of its own,
with the old libraries on the path and nothing of the network: `ask_transformers.py QUESTIONS.json ANSWERS.json`.

QUESTIONS: {"folders": [...], "files": [[url, etag], ...]}. ANSWERS has for each folder
- online:  for each file the name that the library answers with when the server says this etag, or null if it wants to
           download it (which is not done);
- offline: the same without a connection, by url; null if the library says that it is missing;
- models:  what get_cached_models lists, or its error;
- records: what filename_to_url reads of each file that has a record.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import transformers.utils.hub as hub


class WouldDownload(Exception):
    """The library asks for content."""


def refuse(*_args, **_kwargs):
    raise WouldDownload


def online(folder: str, url: str, etag: str) -> str | None:
    """The library's way with a server that answers the question for the etag only."""
    answer = SimpleNamespace(headers={"ETag": etag}, status_code=200, raise_for_status=lambda: None)
    hub.requests.head = lambda *_args, **_kwargs: answer
    hub.requests.get = refuse
    before = set(Path(folder).iterdir())
    try:
        return Path(hub.cached_path(url, cache_dir=folder)).name
    except WouldDownload:
        return None
    finally:  # what it began to write
        for path in set(Path(folder).iterdir()) - before:
            path.unlink()


def offline(folder: str, url: str) -> str | None:
    try:
        return Path(hub.cached_path(url, cache_dir=folder, local_files_only=True)).name
    except hub.EntryNotFoundError:
        return None


def models(folder: str):
    try:
        return sorted(map(list, hub.get_cached_models(folder)))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def records(folder: str) -> dict:
    names = sorted(path.name for path in Path(folder).iterdir() if Path(f"{path}.json").exists())
    return {name: list(hub.filename_to_url(name, folder)) for name in names}


def main(questions: str, answers: str) -> None:
    asked = json.loads(Path(questions).read_text())
    found = {
        folder: {
            "offline": {url: offline(folder, url) for url, _ in asked["files"]},
            "online": [online(folder, url, etag) for url, etag in asked["files"]],
            "models": models(folder),
            "records": records(folder),
        }
        for folder in asked["folders"]
    }
    Path(answers).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
