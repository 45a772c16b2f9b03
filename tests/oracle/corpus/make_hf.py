#!/usr/bin/env python3
"""Make real Hugging Face caches with the real libraries, plus the answers of the real library about them.

    python3.11 -m venv VENV
    VENV/bin/pip install -r requirements-hf.txt
    VENV/bin/pip install --no-deps --target VENV/hf-legacy -r requirements-hf-legacy.txt
    VENV/bin/python make_hf.py OUT_DIR

OUT_DIR (replaced) then holds
    home/        a HOME with hub, assets, datasets, modules, transformers, xet, accelerate and tokens
    nosymlink/   a HOME whose hub cache has no symlinks (what Windows users have)
    renamed/     a HOME with one repo under two names: equal commit ids in two repo folders
    broken/      a HOME whose hub cache was damaged by hand after the download (see _hf_damage.py)
    expected/    the libraries' own answers about these (see README.md)

Everything is local: a fake Hub on loopback (port --port) serves deterministic content. What differs between two runs:
names that the libraries draw at random (temporary and incomplete files), the Xet log and shard, .pyc files, times in
*.metadata. What differs between two OUT_DIRs, too: lock names and config hashes of `datasets`, which contain the path.
About 3 minutes, 30 MB.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
from _hf_content import csv_file  # noqa: E402
from _hf_fake_hub import FakeHub  # noqa: E402
from _hf_oracle import write_expected  # noqa: E402

HERE = Path(__file__).resolve().parent
DAY = 86_400
NEW_YEAR = 1_704_067_200  # 2024-01-01 UTC


class Maker:
    def __init__(self, out: Path, legacy: Path, port: int):
        self.out, self.legacy, self.scratch = out, legacy, Path(tempfile.mkdtemp(prefix="make_hf-"))
        self.home = out / "home"
        self.hub = FakeHub(port, self.tls_context())

    def tls_context(self):
        """Certificates for the hosts that the old transformers client wants to reach over https."""
        import ssl

        import trustme

        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("huggingface.co", "cdn-lfs.huggingface.co", "s3.amazonaws.com").configure_cert(context)
        authority.cert_pem.write_to_path(str(self.scratch / "ca.pem"))
        return context

    def environment(self, home: Path, legacy: bool = False, **extra: str) -> dict[str, str]:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.scratch),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(self.legacy) if legacy else "",
            "HF_ENDPOINT": self.hub.endpoint,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
            "FAKE_PROXY": self.hub.endpoint,
            "PLAIN_URL": f"http://localhost:{self.hub.port}",
            "REQUESTS_CA_BUNDLE": str(self.scratch / "ca.pem"),
        }
        return env | extra

    def command(self, stage: str, args: tuple, legacy: bool) -> list[str]:
        isolated = ["-S"] if legacy else []  # not the current libraries: PYTHONPATH has the old ones
        return [sys.executable, *isolated, str(HERE / "_hf_stages.py"), stage, *map(str, args)]

    def stage(
        self, stage: str, *args, home: Path | None = None, legacy: bool = False, cwd: Path | None = None, **env: str
    ) -> None:
        print("stage", stage, *args, flush=True)
        home = home or self.home
        home.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            self.command(stage, args, legacy),
            env=self.environment(home, legacy, **env),
            cwd=cwd or self.scratch,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"stage {stage} failed:\n{done.stdout}\n{done.stderr}")

    def killed_stage(self, stage: str, *args, pattern: str, legacy: bool = False) -> None:
        """Run a stage until a non-empty file like the pattern (under the home) appears and settles; then SIGKILL."""
        print("stage", stage, *args, "(killed)", flush=True)
        before = set(self.home.glob(pattern))
        process = subprocess.Popen(
            self.command(stage, args, legacy),
            env=self.environment(self.home, legacy),
            cwd=self.scratch,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            size = 0
            for _ in range(300):
                time.sleep(0.1)
                new = [p.stat().st_size for p in self.home.glob(pattern) if p not in before and p.is_file()]
                if new and new == [size] and size:
                    break
                size = new[0] if new else 0
            else:
                sys.exit(f"stage {stage}: nothing like {pattern} appeared")
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # our own child and its session only
            process.wait()

    # ------------------------------------------------------------ the caches

    def make_hub(self) -> None:
        self.stage("publish_xet", self.scratch / "cas", self.scratch / "xet.json", home=self.scratch / "publisher")
        self.hub.add_xet(json.loads((self.scratch / "xet.json").read_text()))
        self.stage("hub_first")
        self.hub.move("model", "acme/tiny-bert", "main", "v2")
        self.hub.move("model", "acme/moving", "main", "b")
        self.hub.move("model", "acme/xet-finetune", "main", "b")
        self.stage("hub_second")
        self.hub.move("model", "acme/moving", "main", "c")
        self.stage("hub_third")
        blobs = ".cache/huggingface/hub/models--acme--{}/blobs/*.incomplete"
        self.killed_stage("hub_download", "acme/interrupted", "model.safetensors", pattern=blobs.format("interrupted"))
        self.killed_stage(
            "hub_download", "acme/interrupted-first", "model.safetensors", pattern=blobs.format("interrupted-first")
        )
        self.killed_stage(
            "hub_download",
            "acme/interrupted-old-client",
            "model.safetensors",
            pattern=blobs.format("interrupted-old-client"),
            legacy=True,
        )
        # What users do: rm -rf of one repo. Its payload in the shared store loses its last reference.
        shutil.rmtree(self.home / ".cache/huggingface/hub/models--acme--xet-removed")
        self.stage("hub_no_symlinks", home=self.out / "nosymlink", HF_HUB_DISABLE_SYMLINKS="1")
        self.stage("hub_renamed", "bert-mini", "acme/bert-mini", home=self.out / "renamed")
        self.hub.move(
            "model", "acme/bert-mini", "main", "b"
        )  # commit a: detached under one name, "main" under the other
        self.stage("hub_renamed", "acme/bert-mini", home=self.out / "renamed")

    def make_datasets(self) -> None:
        data = self.home / "data"
        (data / "folder").mkdir(parents=True)
        (data / "train.csv").write_bytes(csv_file("local-train", 1000).data)
        (data / "test.csv").write_bytes(csv_file("local-test", 300).data)
        (data / "folder" / "train.csv").write_bytes(csv_file("folder", 50).data)
        (data / "rows.jsonl").write_text("".join(json.dumps({"n": n}) + "\n" for n in range(200)))
        (data / "lines.txt").write_text("".join(f"line {n}\n" for n in range(100)))
        for path in data.rglob("*"):
            os.utime(path, (NEW_YEAR, NEW_YEAR))  # part of the config hash
        self.stage("datasets_legacy", data, legacy=True)
        self.stage("datasets_current", data)
        self.hub.move("dataset", "acme/reviews", "main", "b")
        self.stage("datasets_new_commit")
        cache = ".cache/huggingface/datasets"
        self.killed_stage("datasets_killed_build", pattern=f"{cache}/generator/**/*.incomplete/*")
        self.killed_stage("datasets_killed_map", data, pattern=f"{cache}/csv/**/tmp*")

    def make_the_rest(self) -> None:
        self.stage("assets_and_login")
        self.stage("xet_upload")
        self.stage("transformers_modules")
        self.stage("transformers_legacy", legacy=True)
        self.hub.move("model", "bert-base-uncased", "main", "new")
        self.stage("transformers_legacy_update", legacy=True)
        self.hub.move("model", "bert-base-uncased", "main", "old")
        self.killed_stage(
            "transformers_legacy_download",
            "flax_model.msgpack",
            "no",
            legacy=True,
            pattern=".cache/huggingface/transformers/tmp*",
        )
        self.killed_stage(
            "transformers_legacy_download",
            "rust_model.ot",
            "resume",
            legacy=True,
            pattern=".cache/huggingface/transformers/*.incomplete",
        )
        # Not made by a library (accelerate needs torch): a stand-in for the settings file that it keeps in HF_HOME.
        settings = self.home / ".cache/huggingface/accelerate/default_config.yaml"
        settings.parent.mkdir()
        settings.write_text("compute_environment: LOCAL_MACHINE\nnum_processes: 1\n")

    def set_ages(self) -> None:
        """Spread the ages of the files, for the age filters: repo n is from 20*n days into 2024."""
        for home in self.out.glob("*"):
            hub = home / ".cache/huggingface/hub"
            for n, repo in enumerate(sorted([*hub.glob("*--*"), *hub.glob("blobs"), *home.glob("outside")])):
                for k, path in enumerate(sorted(p for p in [repo, *repo.rglob("*")] if not p.is_symlink())):
                    when = NEW_YEAR + 20 * n * DAY + k * 60
                    os.utime(path, (when + 5 * DAY, when))  # read 5 days after it was written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--legacy", type=Path, default=Path(sys.prefix) / "hf-legacy", help="where the old libraries were installed"
    )
    parser.add_argument(
        "--port", type=int, default=18653, help="loopback port of the fake Hub (some hashed names contain it)"
    )
    args = parser.parse_args()
    out = args.out.resolve()
    if not (args.legacy / "transformers").is_dir():
        sys.exit(f"no old libraries in {args.legacy}: see the top of {Path(__file__).name}")
    if out.exists():
        if any(out.iterdir()) and not (out / "home" / ".cache" / "huggingface").is_dir():
            sys.exit(f"{out} is not empty and not a corpus of mine: left alone")
        shutil.rmtree(out)
    out.mkdir(parents=True)

    maker = Maker(out, args.legacy.resolve(), args.port)
    try:
        maker.make_hub()
        maker.make_datasets()
        maker.make_the_rest()
        write_expected(maker)
    finally:
        maker.hub.close()
        shutil.rmtree(maker.scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
