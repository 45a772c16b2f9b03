"""What the fake Hub serves: repositories with their revisions and files, and the plain files beside them.

All content is generated from fixed seeds: same bytes, hashes and commit ids on every run.
"""

import csv
import hashlib
import io
import json
import random
import zipfile
from dataclasses import dataclass, field


def noise(seed: str, size: int) -> bytes:
    """Incompressible bytes that depend on the seed only."""
    return random.Random(seed).randbytes(size)


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass(frozen=True)
class File:
    data: bytes
    storage: str = "git"  # git (small, git blob) | lfs (302 to a CDN) | xet (302 + Xet headers)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def etag(self) -> str:
        """What the Hub announces as ETag: git blob id, or sha256 for large files."""
        return git_sha1(self.data) if self.storage == "git" else self.sha256


@dataclass
class Repo:
    type: str
    id: str
    commits: dict[str, dict[str, File]]  # label -> {path: file}
    refs: dict[str, str] = field(default_factory=dict)  # ref name -> label
    history_of: str = ""  # the repo it is a duplicate or the new name of: same commit ids

    def commit(self, label: str) -> str:
        return hashlib.sha1(f"{self.type}/{self.history_of or self.id}@{label}".encode()).hexdigest()

    def find(self, revision: str) -> str | None:
        """The label a branch, tag or commit id designates."""
        if revision in self.refs:
            return self.refs[revision]
        return next((label for label in self.commits if self.commit(label) == revision), None)


def text(s: str) -> File:
    return File(s.encode())


def as_json(**fields) -> File:
    return text(json.dumps(fields, indent=1) + "\n")


def lfs(seed: str, size: int) -> File:
    return File(noise(seed, size), "lfs")


def xet(seed: str, size: int) -> File:
    return File(noise(seed, size), "xet")


def csv_file(seed: str, rows: int) -> File:
    rng = random.Random(seed)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "stars", "review"])
    for i in range(rows):
        writer.writerow([i, rng.randint(1, 5), " ".join(rng.choices("good bad fine slow fast dull odd".split(), k=12))])
    return text(out.getvalue())


def zip_bytes(**members: File) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, file in members.items():
            z.writestr(zipfile.ZipInfo(name.replace("__", "."), (2024, 1, 1, 0, 0, 0)), file.data)
    return out.getvalue()


def build_repos() -> dict[tuple[str, str], Repo]:
    config_a, config_b = as_json(model_type="bert", hidden=8), as_json(model_type="bert", hidden=16)
    tokenizer = File(noise("tokenizer", 40_000))
    weights, onnx = lfs("bert-weights", 1_200_000), lfs("bert-onnx", 300_000)
    base_weights, adapter = xet("xet-base", 2_000_000), xet("xet-adapter", 400_000)
    script = text(SCRIPTED_DATASET)

    repos = [
        # Several revisions that share blobs; "legacy/config.json" is the same blob as "config.json".
        Repo(
            "model",
            "acme/tiny-bert",
            {
                "v1": {
                    "README.md": text("# tiny bert 1\n"),
                    "config.json": config_a,
                    "tokenizer.json": tokenizer,
                    "model.safetensors": weights,
                    "onnx/model.onnx": onnx,
                },
                "v2": {
                    "README.md": text("# tiny bert 2\n"),
                    "config.json": config_b,
                    "tokenizer.json": tokenizer,
                    "model.safetensors": weights,
                    "onnx/model.onnx": onnx,
                    "legacy/config.json": config_b,
                    "onnx/quantized/q8/model.onnx": lfs("bert-onnx-q8", 80_000),
                },
                "pr1": {
                    "README.md": text("# tiny bert 2\n"),
                    "config.json": config_b,
                    "tokenizer.json": tokenizer,
                    "model.safetensors": lfs("bert-weights-pr", 900_000),
                },
            },
            {"main": "v1", "v1.0": "v1", "refs/pr/1": "pr1"},
        ),
        # A repo without namespace.
        Repo(
            "model",
            "gpt2-mini",
            {
                "a": {
                    "config.json": as_json(model_type="gpt2"),
                    "vocab.json": as_json(a=1),
                    "empty.txt": text(""),
                    "pytorch_model.bin": lfs("gpt2", 500_000),
                }
            },
            {"main": "a"},
        ),
        # Its main branch moves twice: two detached revisions, one of them keeping a blob of its own.
        Repo(
            "model",
            "acme/moving",
            {
                label: {
                    "config.json": as_json(step=label),
                    "shared.bin": lfs("moving-shared", 100_000),
                    "own.bin": lfs(f"moving-{label}", 50_000),
                }
                for label in "abc"
            },
            {"main": "a"},
        ),
        Repo(
            "model",
            "acme/many-files",
            {
                "a": {
                    f"part-{i // 40:02d}/shard-{i:04d}.json": as_json(shard=i, payload="x" * (i % 97))
                    for i in range(320)
                }
            },
            {"main": "a"},
        ),
        # Xet files with the same content in several repos: the cache-wide shared blob store.
        Repo(
            "model", "acme/xet-base", {"a": {"config.json": config_a, "model.safetensors": base_weights}}, {"main": "a"}
        ),
        Repo(
            "model",
            "acme/xet-finetune",
            {
                "a": {"config.json": config_b, "model.safetensors": base_weights},
                "b": {"config.json": config_b, "model.safetensors": base_weights, "adapter.safetensors": adapter},
            },
            {"main": "a"},
        ),
        Repo(
            "dataset",
            "acme/xet-data",
            {"a": {"adapter-copy.bin": adapter, "only-here.bin": xet("xet-only", 300_000)}},
            {"main": "a"},
        ),
        Repo("model", "acme/xet-removed", {"a": {"weights.bin": xet("xet-removed", 600_000)}}, {"main": "a"}),
        # Downloads that get killed (see STALLS).
        Repo(
            "model",
            "acme/interrupted",
            {"a": {"config.json": config_a, "model.safetensors": lfs("interrupted", 3_000_000)}},
            {"main": "a"},
        ),
        Repo(
            "model",
            "acme/interrupted-first",
            {"a": {"model.safetensors": lfs("interrupted-first", 2_000_000)}},
            {"main": "a"},
        ),
        Repo(
            "model",
            "acme/interrupted-old-client",
            {"a": {"config.json": config_a, "model.safetensors": lfs("interrupted-old", 2_500_000)}},
            {"main": "a"},
        ),
        # Repos that a client has touched without ever downloading a file.
        Repo("model", "acme/probed-only", {"a": {"config.json": config_a}}, {"main": "a"}),
        Repo("model", "acme/filtered-out", {"a": {"config.json": config_a}}, {"main": "a"}),
        Repo(
            "model",
            "acme/Odd.Names_v1-0",
            {
                "a": {
                    "données/été 1.txt": text("é\n"),
                    "a+b=c/[x] (copy).json": as_json(x=1),
                    ".hidden/.dotfile": text("dot\n"),
                }
            },
            {"main": "a", "feature/x": "a"},
        ),
        Repo(
            "model",
            "acme/custom-code",
            {
                "a": {
                    "config.json": as_json(
                        model_type="acme-custom", auto_map={"AutoConfig": "configuration_custom.AcmeConfig"}
                    ),
                    "configuration_custom.py": text(CUSTOM_CONFIG),
                    "helper.py": text("ANSWER = 42\n"),
                }
            },
            {"main": "a"},
        ),
        # The same history under two names, as after a rename or a duplication on the Hub: equal commit ids.
        *(
            Repo(
                "model",
                name,
                {
                    "a": {"config.json": config_a, "model.bin": lfs("renamed-a", 50_000)},
                    "b": {"config.json": config_b, "model.bin": lfs("renamed-b", 60_000)},
                },
                {"main": "a"},
                "renamed",
            )
            for name in ("bert-mini", "acme/bert-mini")
        ),
        Repo(
            "space",
            "acme/demo",
            {"a": {"README.md": text("---\nsdk: static\n---\n"), "app.py": text("print('hi')\n")}},
            {"main": "a"},
        ),
        Repo(
            "kernel",
            "acme/relu",
            {
                "a": {
                    "build/torch-universal/relu/__init__.py": text("def relu(x):\n    return max(x, 0)\n"),
                    "README.md": text("# relu\n"),
                }
            },
            {"main": "a", "v1": "a"},
        ),
        Repo(
            "dataset",
            "acme/reviews",
            {
                "a": {
                    "README.md": text("# Reviews\n"),
                    "data/train.csv": csv_file("reviews-train", 3000),
                    "data/test.csv": csv_file("reviews-test", 300),
                },
                "b": {
                    "README.md": text("# Reviews, fixed\n"),
                    "data/train.csv": csv_file("reviews-train-2", 3000),
                    "data/test.csv": csv_file("reviews-test", 300),
                },
            },
            {"main": "a"},
        ),
        Repo(
            "dataset",
            "acme/exported",
            {"src": {"README.md": text("# exported\n")}, "pq": {"default/train/0000.parquet": lfs("parquet", 60_000)}},
            {"main": "src", "refs/convert/parquet": "pq"},
        ),
        Repo(
            "dataset", "acme/scripted", {"a": {"README.md": text("# scripted\n"), "scripted.py": script}}, {"main": "a"}
        ),
        Repo(
            "model",
            "bert-base-uncased",
            {
                "old": {
                    "config.json": as_json(model_type="bert", vocab=30522),
                    "vocab.txt": text("[PAD]\n[UNK]\n"),
                    "pytorch_model.bin": lfs("bbu-pt", 300_000),
                    "tf_model.h5": lfs("bbu-h5", 200_000),
                    "flax_model.msgpack": lfs("bbu-flax", 400_000),
                    "rust_model.ot": lfs("bbu-rust", 350_000),
                },
                "new": {
                    "config.json": as_json(model_type="bert", vocab=30522, fixed=True),
                    "vocab.txt": text("[PAD]\n[UNK]\n"),
                    "pytorch_model.bin": lfs("bbu-pt", 300_000),
                    "tf_model.h5": lfs("bbu-h5", 200_000),
                },
            },
            {"main": "old"},
        ),
    ]
    return {(r.type, r.id): r for r in repos}


CUSTOM_CONFIG = """\
from transformers import PretrainedConfig
from .helper import ANSWER


class AcmeConfig(PretrainedConfig):
    model_type = "acme-custom"
    answer = ANSWER
"""

SCRIPTED_DATASET = """\
import os

import datasets


class Scripted(datasets.GeneratorBasedBuilder):
    VERSION = datasets.Version("1.2.0")

    def _info(self):
        features = datasets.Features({"n": datasets.Value("int64")})
        return datasets.DatasetInfo(description="made by a script", features=features)

    def _split_generators(self, dl_manager):
        folder = dl_manager.download_and_extract(os.environ["PLAIN_URL"] + "/files/bundle.zip")
        return [datasets.SplitGenerator(name="train", gen_kwargs={"path": os.path.join(folder, "one.csv")})]

    def _generate_examples(self, path):
        with open(path) as f:
            for i, line in enumerate(f):
                yield i, {"n": len(line)}
"""

# Files outside any repo: plain downloads of `datasets`, and the pre-2020 S3 layout of transformers.
PLAIN_FILES = {
    "/files/extra.csv": csv_file("extra", 200).data,
    "/files/bundle.zip": zip_bytes(one__csv=csv_file("one", 150), two__csv=csv_file("two", 150)),
    "/models.huggingface.co/bert/bert-base-cased-config.json": as_json(model_type="bert", cased=True).data,
}

# Large files whose transfer stops after that many bytes, until the client goes away.
STALLS = {
    lfs("interrupted", 3_000_000).sha256: 1_000_000,
    lfs("interrupted-first", 2_000_000).sha256: 700_000,
    lfs("interrupted-old", 2_500_000).sha256: 800_000,
    lfs("bbu-flax", 400_000).sha256: 120_000,
    lfs("bbu-rust", 350_000).sha256: 110_000,
}
