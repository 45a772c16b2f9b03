"""The real `datasets` library, asked by check_datasets.py: a process of its own, whose HOME is the home under test.

Each line of standard input is a JSON list of a function's name and its arguments; the answer is a line of JSON.
"""

import json
import os
import sys
from pathlib import Path


def read(root: str) -> dict:
    """The rows of each split of every build that the library can read, by the build's folder."""
    from datasets import Dataset, DatasetInfo
    from datasets.arrow_reader import ArrowReader

    answers = {}
    for path in sorted(Path(root).rglob("dataset_info.json")):
        folder, info = path.parent, DatasetInfo.from_directory(str(path.parent))
        reader = ArrowReader(str(folder), info)
        name = info.dataset_name or info.builder_name
        splits = list(info.splits.values())
        tables = {split: Dataset(**reader.read(name, split, splits, in_memory=True)) for split in info.splits}
        answers[folder.relative_to(root).as_posix()] = {split: table.num_rows for split, table in tables.items()}
    return answers




def _squares(n):
    for i in range(n):
        yield {"i": i, "square": i * i}


def _double(row):
    return {"double": row["n"] * 2}


def load(data: str) -> dict:
    """Loads the same local data in several ways; for each the folder it is in, when its record was written, and
    its rows."""
    from datasets import Dataset, Features, Image, Value, load_dataset

    pictures = Features({"picture": Image(decode=False), "n": Value("int64")})
    loaded = {
        "csv": load_dataset("csv", data_files=f"{data}/rows.csv", split="train"),
        "json": load_dataset("json", data_files=f"{data}/rows.jsonl", split="train"),
        "text": load_dataset("text", data_files=f"{data}/lines.txt", split="train"),
        "folder": load_dataset(f"{data}/downloads", split="train"),
        "generator": Dataset.from_generator(_squares, gen_kwargs={"n": 50}),
        "pictures": load_dataset("csv", data_files=f"{data}/pictures.csv", features=pictures, split="train"),
    }
    mapped = loaded["csv"].map(_double)
    answers = {name: _place(dataset) for name, dataset in loaded.items()}
    answers["map"] = {"folder": _place(loaded["csv"])["folder"], "file": mapped.cache_files[0]["filename"]}
    answers["map"]["made"] = os.stat(answers["map"]["file"]).st_mtime_ns
    answers["paths"] = [row["picture"]["path"] for row in loaded["pictures"]]
    return answers


def _place(dataset) -> dict:
    folder = Path(dataset.cache_files[0]["filename"]).parent
    made = (folder / "dataset_info.json").stat().st_mtime_ns
    return {"folder": str(folder), "made": made, "rows": dataset.num_rows}


def hub(name: str) -> str:
    """The folder that the library takes for a dataset of the Hub without the net, or the error it gives."""
    from datasets import load_dataset

    try:
        return _place(load_dataset(name, split="train"))["folder"]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def script(path: str, archive: str) -> dict:
    """datasets 2.21: a loading script that extracts an archive and stores paths into it."""
    from datasets import load_dataset

    os.environ["ARCHIVE"] = archive
    dataset = load_dataset(path, split="train", trust_remote_code=True)
    return {"folder": _place(dataset)["folder"], "files": list(dataset["file"])}


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        function, *arguments = json.loads(line)
        print(json.dumps(globals()[function](*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main()
