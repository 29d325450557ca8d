import platform

import pytest

from sweep import machine


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    machine.processor.cache_clear()
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    yield
    machine.processor.cache_clear()


def test_a_processor_is_its_architecture_and_model(tmp_path, monkeypatch):
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nmodel name\t: Fast  One @ 2 GHz\nmodel name\t: Other\n")
    monkeypatch.setattr(machine, "_PROCESSORS", file)
    assert machine.processor() == "riscv64 Fast One @ 2 GHz"


def test_without_a_list_of_processors_it_is_what_python_knows(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_PROCESSORS", tmp_path / "none")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine.processor() == "riscv64"
