"""What the real libraries are asked of a Hugging Face home, each in a process of its own: `home_library.py WHAT [ARG...]`.

The answer is one line of JSON. HOME is the home; nothing is reached over the network but a server on loopback.
"""

import json
import os
import sys
from pathlib import Path


def assets(*names: str) -> dict:
    """What is in each of these asset folders, which the library makes where they are not."""
    from huggingface_hub import cached_assets_path

    found = {}
    for name in names:
        folder = cached_assets_path(*name.split(" / "))
        found[name] = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return found


def remote_code(answer: str = "answer") -> object:
    """An attribute of the configuration of a model that brings its own code."""
    from transformers import AutoConfig

    sys.dont_write_bytecode = False
    return getattr(AutoConfig.from_pretrained("acme/custom-code", trust_remote_code=True), answer)


def script() -> str:
    """The builder of a data set with a script, with the old library, which knows scripts; of the prepared data without one."""
    from datasets import load_dataset_builder

    return load_dataset_builder("acme/scripted", trust_remote_code=True).info.builder_name


def xet(endpoint: str) -> str:
    """Begins and ends an upload of nothing, which makes the folders of a server."""
    import hf_xet

    with hf_xet.XetSession().new_upload_commit(endpoint=endpoint, token="none", token_expiry_unix_secs=4_000_000_000):
        pass
    return "done"


def xet_stuck(endpoint: str) -> None:
    """Begins an upload and stays there until it is killed."""
    import hf_xet

    commit = hf_xet.XetSession().new_upload_commit(
        endpoint=endpoint, token="none", token_expiry_unix_secs=4_000_000_000
    )
    with commit:
        ready()


def metric(script: str) -> dict:
    """Computes a metric, as often as one likes."""
    import evaluate

    return evaluate.load(script).compute(predictions=[1, 2, 3], references=[1, 2, 4])


def metric_stuck(script: str) -> None:
    """Collects results until it is killed."""
    import evaluate

    running = evaluate.load(script)
    running.add_batch(predictions=[1] * 5000, references=[1] * 5000)
    running.writer.write_examples_on_file()
    ready()


def download(url: str) -> str:
    """The content of an address by way of Evaluate's downloads."""
    from evaluate.utils.file_utils import cached_path

    return Path(cached_path(url)).read_text()


def ready() -> None:
    import time

    print(json.dumps("ready"), flush=True)
    time.sleep(600)


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])), flush=True)
