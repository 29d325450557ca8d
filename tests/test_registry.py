import sys

import pytest

from sweep import registry
from sweep.errors import PluginError
from sweep.networks.ds_cnn import DSCNN
from sweep.registry import Plugin, blaming, find, name_of, plugins, register, search_in


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder beside which modules are found, in this test alone."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    monkeypatch.setattr(registry, "_registered", {})
    search_in(tmp_path)
    yield tmp_path
    registry._points.cache_clear()


@pytest.fixture
def installed(folder):
    """A package that is installed with an entry point."""
    (folder / "fancy_networks.py").write_text("class Fancy:\n    pass\n")
    about = folder / "fancy-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: fancy\nVersion: 1.2\n")
    points = "[tinysweep.plugins]\nnetwork.fancy = fancy_networks:Fancy\n"
    (about / "entry_points.txt").write_text(points)


def test_what_is_built_in_is_found_by_its_name():
    assert find("network", "depthwise_separable") is DSCNN
    assert name_of("network", DSCNN) == "depthwise_separable"


def test_a_module_beside_the_search_space_is_found(folder):
    (folder / "my_net.py").write_text("class Mine:\n    class Inner:\n        pass\n")
    assert find("network", "my_net:Mine").__name__ == "Mine"
    assert find("network", "my_net:Mine.Inner").__name__ == "Inner"
    assert name_of("network", find("network", "my_net:Mine")) == "my_net:Mine"


def test_an_installed_package_is_found_by_its_entry_point(installed):
    found = find("network", "fancy")
    assert found.__name__ == "Fancy"
    assert name_of("network", found) == "fancy"
    assert Plugin("network", "fancy", "fancy 1.2") in plugins()
    with pytest.raises(PluginError, match="'fancy' is no frontend"):
        find("frontend", "fancy")


def test_an_object_may_be_given_a_name(folder):
    class Tiny:
        pass

    register("network", "tiny", Tiny)
    assert find("network", "tiny") is Tiny
    assert name_of("network", Tiny) == "tiny"
    (told,) = [plugin for plugin in plugins() if plugin.name == "tiny"]
    assert told.origin.startswith(f"{__file__}:")


def test_a_built_in_name_cannot_be_taken(folder):
    with pytest.raises(PluginError, match="'temporal' is a built-in network"):
        register("network", "temporal", object)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("temporl", "'temporl' is no network; did you mean temporal?"),
        ("my_net:", "'my_net:' is no network; write module:Name"),
        ("../my_net:Mine", "'../my_net:Mine' is no network; write module:Name"),
        ("absent:Mine", "absent:Mine: there is no module absent; it is looked for beside"),
        ("present:Mien", "present.py: has no Mien; did you mean Mine?"),
    ],
)
def test_a_name_that_means_nothing_is_told_in_one_line(folder, name, message):
    (folder / "present.py").write_text("class Mine:\n    pass\n")
    with pytest.raises(PluginError) as raised:
        find("network", name)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("module", "text", "message"),
    [
        ("misspelt", "import math\n\nclas Mine:\n", "misspelt.py:3: not Python: invalid syntax"),
        ("unbound", "x = 1\ny = z\n", "unbound.py:2: NameError: name 'z' is not defined"),
        ("lacking", "\nimport absent\n", "lacking.py:2: ModuleNotFoundError: No module named"),
        ("leaving", "import sys\nsys.exit('no')\n", "leaving.py:2: SystemExit: no"),
    ],
)
def test_a_module_that_fails_is_told_with_file_and_line(folder, module, text, message):
    (folder / f"{module}.py").write_text(text)
    with pytest.raises(PluginError) as raised:
        find("network", f"{module}:Mine")
    assert str(raised.value).startswith(f"{folder}/{message}")


def test_what_fails_later_is_told_with_the_line_of_the_plugin(folder):
    (folder / "late.py").write_text("def build(n):\n    return int('x' * n)\n")
    build = find("network", "late:build")
    with pytest.raises(PluginError, match=r"late.py:2: ValueError: invalid literal"), blaming(
        build
    ):
        build(1)
