"""Asks the real libraries where they look, for each environment of a list: `ask_roots.py LIBRARIES < SETTINGS > ANSWERS`.

LIBRARIES is `hf`, `hf-legacy` (old releases of the same names, first on PYTHONPATH) or `ir`. A setting is added to the
environment of this process; `null` takes a variable out of it. The libraries read the environment
when they are imported, so the modules that do are imported again for each setting, in a process of its own.
"""

import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path


def hf() -> dict:
    """Questions and answers of the current releases."""
    hub = again("huggingface_hub.constants")
    datasets = again("datasets.config")
    evaluate = again("evaluate.config")
    more = {}
    if "HF_DATASETS_DOWNLOADED_EVALUATE_PATH" in os.environ:  # else in its folder
        more["evaluate 0.4.6: evaluate-downloads"] = evaluate.DOWNLOADED_EVALUATE_PATH
    return more | {
        "huggingface_hub 2.4.0: hub": hub.HF_HUB_CACHE,
        "huggingface_hub 2.4.0: assets": hub.HF_ASSETS_CACHE,
        "hf_xet 1.8.0: xet": xet(),
        "transformers 5.23.0: modules": again("transformers.utils.hub").HF_MODULES_CACHE,
        "datasets 5.2.0: modules": datasets.HF_MODULES_CACHE,
        **datasets_folders("datasets 5.2.0", datasets),
        "evaluate 0.4.6: evaluate": evaluate.HF_EVALUATE_CACHE,
        "evaluate 0.4.6: modules": evaluate.HF_MODULES_CACHE,
        "evaluate 0.4.6: metrics": os.path.expanduser(evaluate.HF_METRICS_CACHE),  # EvaluationModule.__init__
        **as_read(hub.HF_HUB_CACHE),
    }


def datasets_folders(library: str, config) -> dict:
    """What the builder makes of the settings (DatasetBuilder.__init__). What has no variable of its own set is in the
    first of these folders."""
    folders = {f"{library}: datasets": os.path.expanduser(config.HF_DATASETS_CACHE)}
    if "HF_DATASETS_DOWNLOADED_DATASETS_PATH" in os.environ:
        folders[f"{library}: downloads"] = os.path.expanduser(config.DOWNLOADED_DATASETS_PATH)
    if "HF_DATASETS_EXTRACTED_DATASETS_PATH" in os.environ:
        folders[f"{library}: extracted"] = config.EXTRACTED_DATASETS_PATH
    return folders


def as_read(hub: str) -> dict:
    """Releases that cannot be installed beside the others, by what their sources say."""

    def first(*variables: str, default: str) -> str:
        return next((os.environ[name] for name in variables if name in os.environ), default)

    cache = first("XDG_CACHE_HOME", default="~/.cache")
    torch = os.path.expanduser(first("TORCH_HOME", default=os.path.join(cache, "torch")))
    old = ("TRANSFORMERS_CACHE", "PYTORCH_TRANSFORMERS_CACHE", "PYTORCH_PRETRAINED_BERT_CACHE")
    sentences = os.path.join(torch, "sentence_transformers")
    return {
        "sentence-transformers 2.2.2: sentences": first("SENTENCE_TRANSFORMERS_HOME", default=sentences),
        "transformers 3.5.1: transformers": first(*old, default=os.path.join(torch, "transformers")),
        "transformers 4.57.1: hub": first(*old, default=hub),
        # Passed on as `cache_dir`, in which huggingface_hub 2 expands `~`.
        "sentence-transformers 6.2.0: hub": os.path.expanduser(first("SENTENCE_TRANSFORMERS_HOME", default=hub)),
        "kernels 0.17.2: hub": os.path.expanduser(first("KERNELS_CACHE", default=hub)),
    }


def xet() -> str | None:
    """Its session writes a log under its own idea of the cache folder; where it cannot, nobody knows."""
    import hf_xet

    session = hf_xet.XetSession()
    logs = [file for file in open_files() if "/logs/xet_" in str(file)]
    del session
    if not logs:
        return None
    # Made absolute by it; the others leave it to the working folder.
    folder = logs[0].parent.parent
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)


def open_files():
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # its threads open and close others
            yield descriptor.readlink()


def hf_legacy() -> dict:
    """Those of the old ones."""
    hub = again("huggingface_hub.constants")
    datasets = again("datasets.config")
    transformers = again("transformers.utils.hub")
    return {
        "huggingface_hub 0.36.0: hub": hub.HF_HUB_CACHE,
        "huggingface_hub 0.36.0: assets": hub.HF_ASSETS_CACHE,
        "transformers 4.21.3: transformers": transformers.TRANSFORMERS_CACHE,
        "transformers 4.21.3: modules": transformers.HF_MODULES_CACHE,
        **datasets_folders("datasets 2.21.0", datasets),
        "datasets 2.21.0: modules": datasets.HF_MODULES_CACHE,
        "datasets 2.21.0: metrics": os.path.expanduser(datasets.HF_METRICS_CACHE),  # Metric.__init__
    }


def ir() -> dict:
    """ir_datasets and datamaestro."""
    import tempfile

    import ir_datasets.util

    tempfile.tempdir = None  # asked for anew
    context = again("datamaestro.context").Context.instance()
    return {
        "ir_datasets 0.6.3: home": made(ir_datasets.util.home_path),
        "ir_datasets 0.6.3: tmp": made(ir_datasets.util.tmp_path),
        "datamaestro 1.16.1: data": context.datapath,
        "datamaestro 1.16.1: cache": context.cachepath,
    }


def made(folder) -> str:
    """It is made when it is asked for; where it cannot be made the error names it."""
    try:
        return folder()
    except OSError as error:
        return error.filename


def again(name: str):
    """A module as it is when it is imported in this environment."""
    return importlib.reload(importlib.import_module(name))


def main() -> None:
    ask = {"hf": hf, "hf-legacy": hf_legacy, "ir": ir}[sys.argv[1]]
    preload(sys.argv[1])
    usual = dict(os.environ)
    for setting in json.load(sys.stdin):
        changed = {name: value for name, value in (usual | setting).items() if value is not None}
        print(in_a_process_of_its_own(ask, changed), flush=True)


def preload(libraries: str) -> None:
    """What takes long to import and is the same in all settings."""
    if libraries == "ir":
        import ir_datasets.util  # noqa: F401

        importlib.import_module("datamaestro.context")
    else:
        for name in ("huggingface_hub.constants", "datasets.config", "transformers.utils.hub"):
            importlib.import_module(name)
        if libraries == "hf":
            importlib.import_module("evaluate.config")


def in_a_process_of_its_own(ask, environment: dict[str, str]) -> str:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.environ.clear()
        os.environ.update(environment)
        os.dup2(2, 1)  # hf_xet prints its log where it cannot write it
        with open(write, "w") as answer:
            answer.write(json.dumps({question: path and str(path) for question, path in ask().items()}))
        os._exit(0)
    os.close(write)
    with open(read) as answer:
        text = answer.read()
    assert os.waitpid(child, 0)[1] == 0, environment
    return text


if __name__ == "__main__":
    main()
