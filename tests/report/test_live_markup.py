import pytest
from dash import html

from sweep.report.live_markup import to_components

HOSTILE = "&lt;img src=x onerror=alert(1)&gt;"


def address(trial):
    return f"/study/x/trial/{trial}"


def test_text_stays_text():
    (paragraph,) = to_components(f"<p>{HOSTILE} &amp; more</p>", address)
    assert isinstance(paragraph, html.P)
    assert "".join(paragraph.children) == "<img src=x onerror=alert(1)> & more"


def test_classes_and_styles_are_kept_and_nothing_else():
    (bar,) = to_components('<i class="a" style="--share:0.5;--some:1" onclick="x"></i>', address)
    assert bar.className == "a"
    assert bar.style == {"--share": "0.5", "--some": "1"}
    assert not hasattr(bar, "onclick")


def test_a_button_for_a_trial_becomes_a_link_to_its_page():
    (link,) = to_components('<button type="button" data-trial="7">Trial 7</button>', address)
    assert isinstance(link, html.A) and link.href == "/study/x/trial/7"


def test_what_is_none_of_our_elements_is_refused():
    with pytest.raises(ValueError, match="<img>"):
        to_components("<p><img></p>", address)
