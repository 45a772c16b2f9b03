"""The table of settings and roots, tests/roots.json: what it says in real folders, and how it is made.

`roots.json` has the libraries' own answers for each setting of the environment, as far as they differ from the answers
without a setting; null is what could not be found out. {home}, {abs} and {tmp} are folders; what does not begin with
one is relative to the working folder.
usage: roots_table.py        asks the libraries of this Python, and writes their answers into the table
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

TABLE = Path(__file__).resolve().parents[1] / "roots.json"
ASK = Path(__file__).with_name("ask_roots.py")


class Places:
    """The folders that a table speaks of."""

    def __init__(self, work: Path):
        self.folders = {name: work / name for name in ("home", "abs", "tmp")}
        self.cwd = work / "cwd"
        for folder in (*self.folders.values(), self.cwd, work / "abs/tmp", work / "abs/other"):
            folder.mkdir()
        (work / "abs/file").write_text("no folder")

    def real(self, text: str | None) -> str | None:
        for name, folder in self.folders.items():
            text = text and text.replace(f"{{{name}}}", str(folder))
        return text

    def as_in_table(self, path: str | None) -> str | None:
        if path is None:
            return None
        for name, folder in self.folders.items():
            if Path(path).is_relative_to(folder):
                return str(Path(f"{{{name}}}") / Path(path).relative_to(folder))
        return str(Path(path))

    def environment(self) -> dict[str, str]:
        """Without any setting. Whoever runs this has a folder for temporary files, which is not to be looked at."""
        home, tmp = self.folders["home"], self.folders["tmp"]
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(home), "TMPDIR": str(tmp)}


@contextmanager
def places():
    with TemporaryDirectory(prefix="dscc-roots-") as work:
        yield Places(Path(work).resolve())


def libraries() -> list[tuple[str, list[str]]]:
    """What can be asked with this Python: each with what comes first on its path."""
    if find_spec("ir_datasets"):
        return [("ir", [])]
    prefix = Path(sys.prefix)
    return [("hf", [f"{prefix}/hf-evaluate"]), ("hf-legacy", [f"{prefix}/hf-legacy"])]


def ask(settings: list[dict]) -> list[dict[str, str]]:
    """For each setting the answers to all questions, as the table has them."""
    answers: list[dict] = [{} for _ in settings]
    for name, path in libraries():
        with places() as here:
            asked = [{variable: here.real(value) for variable, value in setting.items()} for setting in settings]
            site = ["-S"] if name == "hf-legacy" else []  # without the current releases
            done = subprocess.run(
                [sys.executable, *site, ASK, name],
                env=here.environment() | {"PYTHONPATH": ":".join(path), "PYTHONDONTWRITEBYTECODE": "1"},
                cwd=here.cwd,
                input=json.dumps(asked),
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise AssertionError(done.stderr[-2000:])
            for answer, line in zip(answers, done.stdout.splitlines(), strict=True):
                answer |= {question: here.as_in_table(path) for question, path in json.loads(line).items()}
    return answers


def fill(table: dict) -> dict:
    """The table with the answers that can be had here."""
    usual, *answers = ask([{}, *(row["set"] for row in table["settings"])])
    table["usual"] = table.get("usual", {}) | usual
    for row, answer in zip(table["settings"], answers, strict=True):
        others = {question: path for question, path in row.get("roots", {}).items() if question not in answer}
        row["roots"] = others | {q: path for q, path in answer.items() if usual.get(q) != path}
    return table


def text(table: dict) -> str:
    """A line for each setting."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in table["settings"])
    head = {key: value for key, value in table.items() if key != "settings"}
    return f'{json.dumps(head, indent=1)[:-2]},\n "settings": [\n{rows}\n ]\n}}\n'


if __name__ == "__main__":
    TABLE.write_text(text(fill(json.loads(TABLE.read_text()))))
