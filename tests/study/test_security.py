import os
import stat

import dask
import pytest

from sweep.errors import SpecError, SweepError
from sweep.study import security as security_module
from sweep.study.security import (
    new_key,
    on_this_machine,
    own_or_made,
    read_key,
    secured,
    security_of,
    write_key,
)


@pytest.fixture
def key(tmp_path):
    file = tmp_path / "mine/cluster.key"
    write_key(file)
    return file


def test_a_key_is_for_its_owner_alone_and_is_not_overwritten(key):
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    before = key.read_text()
    with pytest.raises(SweepError, match=f"^{key}: is there; remove it to make another key$"):
        write_key(key)
    assert key.read_text() == before


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_may_read_is_refused(mode, key):
    key.chmod(mode)
    with pytest.raises(SweepError, match=f"others may read this key; chmod 600 {key}$"):
        read_key(key)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_key_of_another_user_may_be_readable_by_the_group_and_not_by_others(key):
    os.chown(key, 4321, os.getegid())
    key.chmod(0o440)
    assert read_key(key).require_encryption
    key.chmod(0o444)
    with pytest.raises(SweepError, match="others may read this key"):
        read_key(key)


@pytest.mark.parametrize("content", ["", "secret", "-----BEGIN CERTIFICATE-----\n", "\0\n"])
def test_what_is_no_key_is_refused(content, tmp_path):
    file = tmp_path / "key"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(SweepError, match="is no key; sweep cluster key makes one$"):
        read_key(file)


def test_half_a_key_is_refused(key):
    key.write_text(key.read_text()[:-200])
    with pytest.raises(SweepError, match="is no key"):
        read_key(key)


def test_a_key_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SweepError, match="cannot be read: No such file"):
        read_key(tmp_path / "none")


def test_no_two_keys_are_equal_and_both_ends_ask_for_one():
    assert new_key() != new_key()
    made = own_or_made()
    assert made.require_encryption
    for settings in (made.get_listen_args("scheduler"), made.get_connection_args("client")):
        assert settings["ssl_context"].verify_mode.name == "CERT_REQUIRED"


@pytest.mark.parametrize("place", ["127.0.0.1:8786", "localhost:8786", "[::1]:8786", "127.0.0.1"])
def test_on_this_machine_no_key_is_needed(place):
    assert on_this_machine(place)
    address, security = secured(f"tcp://{place}", None)
    assert address == f"tcp://{place}" and not security.require_encryption


@pytest.mark.parametrize("place", ["10.0.0.5:8786", "0.0.0.0:8786", "node7:8786", "localhost.evil"])
def test_another_machine_is_reached_with_a_key_only(place, key):
    assert not on_this_machine(place)
    with pytest.raises(SpecError, match="name the key of this cluster with --key"):
        secured(f"tcp://{place}", None)
    for named in (place, f"tcp://{place}", f"tls://{place}"):
        address, security = secured(named, key)
        assert address == f"tls://{place}" and security.require_encryption


def test_a_cluster_with_tls_is_reached_with_the_key_of_the_user(key, monkeypatch):
    monkeypatch.setattr(security_module, "default_key_file", lambda: key.with_name("none"))
    with pytest.raises(SpecError, match="^tls://127.0.0.1:8786: name the key of this cluster"):
        secured("tls://127.0.0.1:8786", None)
    monkeypatch.setattr(security_module, "default_key_file", lambda: key)
    for place in ("127.0.0.1:8786", "node7:8786"):
        assert secured(f"tls://{place}", None)[1].require_encryption
    assert not secured("tcp://127.0.0.1:8786", None)[1].require_encryption


def test_the_settings_of_dask_are_honoured(key):
    with dask.config.set({"distributed.comm.tls.ca-file": str(key)}):
        address, security = secured("tcp://node7:8786", None)
        assert address == "tls://node7:8786" and security.tls_ca_file == str(key)
        assert own_or_made().tls_ca_file == str(key)


def test_the_key_of_a_sweep_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    security_of(new_key()).get_listen_args("worker")
    assert os.listdir(tmp_path) == []
