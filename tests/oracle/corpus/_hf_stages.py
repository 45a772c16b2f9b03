"""What the real libraries are asked to do, for make_hf.py.

Each function is one "stage": it runs alone in its own process, whose HOME, HF_ENDPOINT and PYTHONPATH were set by
make_hf.py, and writes a cache only through a library's public functions.
Usage (internal): python _hf_stages.py STAGE [ARG...]
"""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


# ---------------------------------------------------------------- server side


def publish_xet(cas: str, out_json: str) -> None:
    """Upload the Xet files with the real hf_xet into a local store; tell in which xorb each of them ended up."""
    import hf_xet

    from _hf_content import build_repos

    files = {
        f.sha256: f.data
        for r in build_repos().values()
        for c in r.commits.values()
        for f in c.values()
        if f.storage == "xet"
    }
    session, published, seen = hf_xet.XetSession(), {}, set()
    for sha, data in files.items():
        with session.new_upload_commit(endpoint=f"local://{cas}") as commit:
            handle = commit.start_upload_bytes(data, name=sha)
        xorbs = {p for p in Path(cas, "xet", "xorbs", "xorbs").glob("default.*") if p.suffix != ".tagset"}
        (xorb,) = xorbs - seen  # random content: one new xorb per file, nothing shared
        seen |= xorbs
        published[sha] = {
            "hash": handle.result().xet_info.hash,
            "size": len(data),
            "xorb": str(xorb),
            "xorb_hash": xorb.name.split(".")[1],
        }
    Path(out_json).write_text(json.dumps(published))


# ---------------------------------------------------------------- huggingface_hub (current)


def hub_first() -> None:
    """First visit to the Hub."""
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import EntryNotFoundError

    snapshot_download("acme/tiny-bert")  # main = v1
    snapshot_download("acme/tiny-bert", revision="v1.0")
    snapshot_download("acme/tiny-bert", revision="refs/pr/1")
    for optional in ("added_tokens.json", "onnx/config.json"):
        try:
            hf_hub_download("acme/tiny-bert", optional)
        except EntryNotFoundError:
            pass  # the absence is remembered under .no_exist
    snapshot_download("gpt2-mini")
    hf_hub_download("acme/moving", "config.json")
    snapshot_download("acme/moving")
    snapshot_download("acme/many-files")
    snapshot_download("acme/xet-base")
    snapshot_download("acme/xet-finetune")
    snapshot_download("acme/xet-data", repo_type="dataset")
    snapshot_download("acme/xet-removed")
    hf_hub_download("acme/interrupted", "config.json")
    try:
        hf_hub_download("acme/probed-only", "adapter_config.json")
    except EntryNotFoundError:
        pass
    snapshot_download("acme/filtered-out", allow_patterns=["*.gguf"])
    snapshot_download("acme/Odd.Names_v1-0")
    hf_hub_download("acme/Odd.Names_v1-0", "données/été 1.txt", revision="feature/x")
    snapshot_download("acme/demo", repo_type="space")
    snapshot_download("acme/relu", repo_type="kernel", revision="v1")
    snapshot_download("acme/exported", repo_type="dataset")
    snapshot_download("acme/exported", repo_type="dataset", revision="refs/convert/parquet")
    snapshot_download("acme/tiny-bert", local_dir=Path.home() / "work" / "tiny-bert")


def hub_second() -> None:
    """Second visit, after the branches moved: some revisions become detached."""
    from huggingface_hub import snapshot_download

    snapshot_download("acme/tiny-bert")  # main = v2, v1 still has its tag
    snapshot_download("acme/moving")  # main = b
    snapshot_download("acme/xet-finetune")  # main = b


def hub_third() -> None:
    """A third one, of a single file this time."""
    from huggingface_hub import hf_hub_download

    hf_hub_download("acme/moving", "config.json")  # main = c: one file only
    # Importing code from a snapshot leaves __pycache__ there, as users of `kernels` have it.
    kernel = hf_hub_download("acme/relu", "build/torch-universal/relu/__init__.py", repo_type="kernel", revision="v1")
    sys.dont_write_bytecode = False
    sys.path.insert(0, str(Path(kernel).parent.parent))
    __import__("relu")


def hub_download(repo_id: str, filename: str) -> None:
    """One download, which make_hf.py kills half-way."""
    from huggingface_hub import constants, hf_hub_download

    constants.DOWNLOAD_CHUNK_SIZE = 100_000  # 10 MiB otherwise: nothing would be on disk before that
    hf_hub_download(repo_id, filename)


def hub_no_symlinks() -> None:
    """The layout Windows users have, by HF_HUB_DISABLE_SYMLINKS=1."""
    from huggingface_hub import hf_hub_download, snapshot_download

    snapshot_download("acme/tiny-bert")
    snapshot_download("acme/tiny-bert", revision="refs/pr/1")
    hf_hub_download("acme/moving", "shared.bin")
    snapshot_download("acme/xet-base")


def hub_renamed(*repo_ids: str) -> None:
    """A repo under its old and its new name."""
    from huggingface_hub import snapshot_download

    for repo_id in repo_ids:
        snapshot_download(repo_id)


def xet_upload() -> None:
    """An upload from this account: fills xet/<server>/shard-cache and leaves a bit in staging/."""
    import random

    import hf_xet

    with hf_xet.XetSession().new_upload_commit(
        endpoint=os.environ["PLAIN_URL"] + "/cas", token="none", token_expiry_unix_secs=4_000_000_000
    ) as commit:
        commit.start_upload_bytes(random.Random("upload").randbytes(300_000), name="upload.bin")


def assets_and_login() -> None:
    from huggingface_hub import cached_assets_path, login

    login(token="not-a-real-token", add_to_git_credential=False)
    for args, name in [
        (("datasets", "acme/SQuAD", "downloaded"), "dev.json"),
        (("datasets", "acme/SQuAD", "extracted"), "dev/a.txt"),
        (("datasets", "Helsinki-NLP/tatoeba mt"), "pairs.tsv"),
        (("acme lib",), "thing.bin"),
    ]:
        path = cached_assets_path(*args) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 1000)


# ---------------------------------------------------------------- transformers


def transformers_modules() -> None:
    """Remote code of a model, copied by the current transformers under modules/."""
    from transformers import AutoConfig

    sys.dont_write_bytecode = False
    assert AutoConfig.from_pretrained("acme/custom-code", trust_remote_code=True).answer == 42


def _proxies() -> dict[str, str]:
    return {"http": os.environ["FAKE_PROXY"], "https": os.environ["FAKE_PROXY"]}


def transformers_legacy() -> None:
    """transformers 4.21: the flat cache of hashed URLs."""
    from transformers.utils.hub import cached_path

    def get(url: str, **kwargs) -> None:
        cached_path(url, proxies=_proxies(), **kwargs)

    hub = "https://huggingface.co"
    for name in ("config.json", "vocab.txt", "pytorch_model.bin", "tf_model.h5"):
        get(f"{hub}/bert-base-uncased/resolve/main/{name}")
    get(f"{hub}/acme/tiny-bert/resolve/v1.0/config.json")
    get(f"{hub}/acme/tiny-bert/resolve/main/onnx/model.onnx")
    get("https://s3.amazonaws.com/models.huggingface.co/bert/bert-base-cased-config.json")
    get("https://s3.amazonaws.com/files/bundle.zip", extract_compressed_file=True)


def transformers_legacy_update() -> None:
    """The same URL with a new ETag: the old file stays beside the new one."""
    from transformers.utils.hub import cached_path

    cached_path("https://huggingface.co/bert-base-uncased/resolve/main/config.json", proxies=_proxies())


def transformers_legacy_download(filename: str, resume: str) -> None:
    """A download that make_hf.py kills: leaves tmpXXXXXXXX, or <name>.incomplete when resuming was asked for."""
    from transformers.utils.hub import cached_path

    cached_path(
        f"https://huggingface.co/bert-base-uncased/resolve/main/{filename}",
        proxies=_proxies(),
        resume_download=resume == "resume",
    )


# ---------------------------------------------------------------- datasets


def _longer(batch):
    return {"length": [len(x) for x in batch["review"]]}


def _is_short(row):
    return len(row["review"]) < 60


def _count(n):
    for i in range(n):
        yield {"i": i, "square": i * i}


def datasets_current(data: str) -> None:
    from datasets import Dataset, load_dataset

    web = os.environ["PLAIN_URL"]
    local = load_dataset("csv", data_files={"train": f"{data}/train.csv", "test": f"{data}/test.csv"})
    train = local["train"].map(_longer, batched=True).filter(_is_short).sort("length")
    train.shuffle(seed=1).train_test_split(test_size=0.1, seed=1)
    local["test"].map(_longer, batched=True, num_proc=2)
    load_dataset("json", data_files=f"{data}/rows.jsonl", split="train").map(lambda row: {"n2": row["n"] * 2})
    load_dataset("text", data_files=f"{data}/lines.txt", name="some config")
    load_dataset(f"{data}/folder")  # a local folder: the name of the folder is the name of the dataset
    load_dataset("csv", data_files=f"{web}/files/extra.csv")  # not on the Hub: downloads/
    load_dataset("csv", data_files=f"zip://*.csv::{web}/files/bundle.zip")
    Dataset.from_generator(_count, gen_kwargs={"n": 500})
    load_dataset("acme/reviews")["train"].map(_longer, batched=True)


def datasets_new_commit() -> None:
    """The Hub dataset got a new commit: a second Arrow copy appears, the first one stays."""
    from datasets import load_dataset

    load_dataset("acme/reviews")


def _stuck(rows):
    import time

    for _ in range(rows):
        yield {"x": "y" * 100}
    time.sleep(3600)


def datasets_killed_build() -> None:
    """make_hf.py kills it: leaves the builder's .incomplete folder."""
    from datasets import Dataset

    Dataset.from_generator(_stuck, gen_kwargs={"rows": 3000})


def _stuck_map(row):
    import time

    if row["id"] == 100:
        time.sleep(3600)
    return {"y": "z" * 100}


def datasets_killed_map(data: str) -> None:
    """make_hf.py kills it: leaves map's temporary file beside the cache-*.arrow files."""
    from datasets import load_dataset

    load_dataset("csv", data_files={"train": f"{data}/train.csv", "test": f"{data}/test.csv"}, split="test").map(
        _stuck_map, writer_batch_size=10
    )


def datasets_legacy(data: str) -> None:
    """datasets 2.21: Hub files in downloads/ by hashed URL, loading scripts in modules/datasets_modules."""
    from datasets import load_dataset

    load_dataset("acme/reviews")
    load_dataset("acme/scripted", trust_remote_code=True)
    load_dataset("csv", data_files=f"{data}/train.csv", split="train").map(_longer, batched=True)


# ---------------------------------------------------------------- answers (see _hf_oracle.py)


def paths(cases_json: str, out_json: str, which: str) -> None:
    """Where the libraries look, for each environment of a list. They read it when imported: one process per case."""
    import fsspec  # noqa: F401, shared by all cases, to save time; none of the libraries in question
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401

    answers = []
    for n, env in enumerate(json.loads(Path(cases_json).read_text())):
        reply = Path(f"{out_json}.{n}")
        child = os.fork()
        if child == 0:
            os.environ.update(env)
            reply.write_text(json.dumps(_paths_current() if which == "current" else _paths_legacy()))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, env
        answers.append(json.loads(reply.read_text()))
        reply.unlink()
    Path(out_json).write_text(json.dumps(answers))


def _paths_current() -> dict:
    import datasets
    import hf_xet
    import huggingface_hub.constants as hub
    import transformers.utils.hub as transformers

    hub_names = ("HF_HOME", "HF_HUB_CACHE", "HF_ASSETS_CACHE", "HF_TOKEN_PATH", "HF_STORED_TOKENS_PATH")
    datasets_names = ("HF_DATASETS_CACHE", "DOWNLOADED_DATASETS_PATH", "EXTRACTED_DATASETS_PATH", "HF_MODULES_CACHE")
    session = hf_xet.XetSession()  # writes its log under its own idea of the cache folder
    log = next((os.readlink(fd) for fd in Path("/proc/self/fd").iterdir() if "/logs/xet_" in os.readlink(fd)), "?/?/?")
    del session
    return {
        "huggingface_hub": {name: getattr(hub, name) for name in hub_names},
        "hf_xet": str(Path(log).parent.parent),
        "datasets": {name: str(getattr(datasets.config, name)) for name in datasets_names},
        "transformers": {"HF_MODULES_CACHE": transformers.HF_MODULES_CACHE},
    }


def _paths_legacy() -> dict:
    import datasets
    import huggingface_hub
    import huggingface_hub.constants as hub
    import transformers.utils.hub as transformers

    return {
        f"huggingface_hub {huggingface_hub.__version__}": {"HF_HOME": hub.HF_HOME, "HF_HUB_CACHE": hub.HF_HUB_CACHE},
        f"datasets {datasets.__version__}": {
            name: str(getattr(datasets.config, name)) for name in ("HF_DATASETS_CACHE", "HF_METRICS_CACHE")
        },
        "transformers 4.21.3": {
            name: getattr(transformers, name) for name in ("TRANSFORMERS_CACHE", "HF_MODULES_CACHE")
        },
    }


def datasets_answers(out_json: str) -> None:
    """What `datasets` says of each prepared dataset, and what Dataset.cleanup_cache_files removes from a copy of it."""
    import shutil
    import tempfile

    from datasets import Dataset, DatasetInfo, config

    root, answers = Path(config.HF_DATASETS_CACHE), {}
    for info_path in sorted(root.rglob("dataset_info.json")):
        folder = info_path.parent
        info = DatasetInfo.from_directory(str(folder))
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(shutil.copytree(folder, Path(scratch, "copy")))
            split = sorted(p for p in copy.glob("*.arrow") if not p.name.startswith("cache-"))[0]
            before = {p.name for p in copy.iterdir()}
            removed = Dataset.from_file(str(split)).cleanup_cache_files()
            gone = sorted(before - {p.name for p in copy.iterdir()})
        answers[folder.relative_to(root).as_posix()] = {
            "builder_name": info.builder_name,
            "dataset_name": info.dataset_name,
            "config_name": info.config_name,
            "version": str(info.version),
            "download_size": info.download_size,
            "dataset_size": info.dataset_size,
            "size_in_bytes": info.size_in_bytes,
            "splits": {name: split.num_examples for name, split in (info.splits or {}).items()},
            "cleanup_cache_files": {"count": removed, "removed": gone},
        }
    Path(out_json).write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


def transformers_answers(out_json: str) -> None:
    """The models that transformers 4.21 itself finds in its flat cache, and the URL of every file with metadata."""
    from transformers.utils.hub import TRANSFORMERS_CACHE, filename_to_url, get_cached_models

    names = sorted(p.name for p in Path(TRANSFORMERS_CACHE).iterdir() if Path(f"{p}.json").exists())
    answers = {
        "get_cached_models": sorted(map(list, get_cached_models())),
        "files": {name: dict(zip(("url", "etag"), filename_to_url(name), strict=True)) for name in names},
    }
    Path(out_json).write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
