"""The commands of ``examples/kubernetes.yaml``, as its containers run them, on this machine."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sweep.study.security import write_key

from .fake_work import FINE
from .real_workers import PATIENCE_IN_S, ROOT, candidate, result, started

SWEEP = Path(sys.executable).with_name("sweep")

pytestmark = pytest.mark.usefixtures("no_trace_of_dask")


def mounted(key: Path, folder: Path) -> Path:
    """Return the folder in which a secret is mounted, as a kubelet does it."""
    (folder / "..of_today").mkdir(parents=True)
    (folder / "..data").symlink_to("..of_today")
    file = folder / "cluster.key"
    file.symlink_to(f"..data/{file.name}")
    file.resolve().parent.joinpath(file.name).write_text(key.read_text())
    file.chmod(0o400)
    if os.geteuid() == 0:
        os.chown(file, 4321, os.getegid())
        file.chmod(0o440)  # what fsGroup makes of 0400
    return folder


def test_what_its_containers_run_works_together_and_ends_when_it_is_told_to(tmp_path):
    write_key(tmp_path / "key")
    folder = mounted(tmp_path / "key", tmp_path / "mounted")
    manifest = list(yaml.safe_load_all((ROOT / "examples/kubernetes.yaml").read_text()))
    service, *deployments = manifest
    pods = {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in deployments}
    port = str(service["spec"]["ports"][0]["port"])
    with contextlib.ExitStack() as ended:

        def run(name: str, here: dict[str, str]) -> subprocess.Popen:
            (container,) = pods[name]["containers"]
            places = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
            (tmp_path / name).mkdir()
            here |= {places["key"]: str(folder), places["home"]: str(tmp_path / name)}
            environment = {one["name"]: one["value"] for one in container["env"]}
            for old, new in here.items():
                environment = {k: value.replace(old, new) for k, value in environment.items()}
            # As Kubernetes sets for the service.
            environment["SWEEP_SCHEDULER_PORT"] = f"tcp://10.0.0.9:{port}"
            command = [here.get(word, word) for word in container["command"]]
            assert command.pop(0) == "sweep"
            process = subprocess.Popen(
                [SWEEP, *command, *(["--port", "0"] if "scheduler" in command else [])],
                cwd=tmp_path,
                env=environment | {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
            )
            ended.callback(process.stdout.close)
            ended.callback(process.kill)
            return process

        scheduler = run("sweep-scheduler", {"0.0.0.0": "127.0.0.1"})
        address = scheduler.stdout.readline().strip()
        assert address.startswith("tls://127.0.0.1:")
        worker = run("sweep-workers", {f"tls://{service['metadata']['name']}:{port}": address})
        with started(tmp_path, address=address, key=tmp_path / "key") as far:
            far.submit(0, candidate(FINE))
            assert result(far).evaluation.outcome == "infeasible"
        for process in (worker, scheduler):
            process.terminate()
            assert process.wait(PATIENCE_IN_S) == 130
