import csv
from math import log10

import pytest

from sweep.report.figures.finalists import retrained
from sweep.report.figures.parallel import SHOWN
from sweep.report.page import write

from .conftest import FIGURES, TRIALS, WITHOUT_WEBGL
from .fake_studies import SPACE, SPOTTER, make_record, with_finalists

FIRST = "[data-figure=front-size_kb]"
LINES = "[data-part=parallel]"


def test_the_page_makes_no_request_and_no_complaint(desk, report):
    desk.page.locator("details", has_text="3-D").locator("summary").click()
    desk.draw("[data-part=space]")
    assert desk.requests == [report.as_uri()]
    assert desk.problems == []


def test_parallel_coordinates_are_really_drawn(desk):
    lines = desk.page.locator(LINES)
    picture = "canvas => canvas.toDataURL()"
    before = lines.locator("canvas").first.evaluate(picture)
    desk.page.get_by_label("all", exact=True).check()
    desk.settle()
    assert lines.locator("canvas").first.evaluate(picture) != before
    assert "WebGL" not in lines.inner_text()
    desk.page.get_by_label("front end and accuracy").check()
    assert lines.locator(".y-axis").count() == 7
    desk.page.get_by_label("everything").check()
    desk.page.get_by_label("feasible", exact=True).check()


def drag_along(page, name, start, end):
    """Drag the mouse along a parallel axis, between two shares of its height."""
    page.locator(LINES).scroll_into_view_if_needed()
    axis = page.locator(f"{LINES} .y-axis").filter(has_text=name).locator(".axis .domain").first
    box = axis.bounding_box()
    x = box["x"] + box["width"] - 1
    page.mouse.move(x, box["y"] + (1 - start) * box["height"])
    page.mouse.down()
    page.mouse.move(x, box["y"] + (1 - (start + end) / 2) * box["height"], steps=4)
    page.mouse.move(x, box["y"] + (1 - end) * box["height"], steps=4)
    page.mouse.up()


def test_brushing_an_axis_filters_the_table(desk):
    record = make_record(TRIALS, seed=11)
    everything = desk.rows()
    drag_along(desk.page, "size", 0.02, 0.5)
    desk.page.wait_for_function(
        "document.querySelector('.trials .count').innerText.includes('brushed')"
    )
    low, high = desk.page.evaluate(
        f"document.querySelector('{LINES}').data[0].dimensions"
        ".find(axis => axis.name === 'size_kb').constraintrange"
    )
    sizes = {t.number: t.evaluation.result["size_kb"] for t in record.trials if t.evaluation.result}
    expected = [number for number in everything if low <= log10(sizes[number]) <= high]
    assert 0 < len(expected) < len(everything)
    assert desk.rows() == expected
    desk.page.get_by_role("button", name="Reset", exact=True).click()
    assert desk.rows() == everything


def test_a_brush_keeps_its_range_when_the_axis_turns_logarithmic_or_back(desk):
    told = """([range, was, is]) => carried(
        {dimensions: [{name: 'latency_ms', constraintrange: range}], meta: {log: was}},
        {meta: {log: is}}).latency_ms"""
    both = [["latency_ms"], []]
    assert desk.page.evaluate(told, [[1, 100], [], ["latency_ms"]]) == [0, 2]
    assert desk.page.evaluate(told, [[[0, 1], [2, 3]], *both]) == [[1, 10], [100, 1000]]
    assert desk.page.evaluate(told, [[-1, 100], [], ["latency_ms"]]) is None
    assert desk.page.evaluate(told, [[-1, 100], [], ["size_kb"]]) == [-1, 100]


def test_meeting_the_limits_keeps_the_feasible_trials(desk):
    record = make_record(TRIALS, seed=11)
    desk.page.get_by_label("trained", exact=True).check()
    trained = [t.number for t in record.trials if t.evaluation.outcome in SHOWN["trained"]]
    assert sorted(desk.rows()) == trained
    # The size has no axis there, and no axis, no brush.
    desk.page.get_by_label("front end and accuracy").check()
    desk.page.get_by_role("button", name="Meet the limits").click()
    feasible = [t.number for t in record.trials if t.evaluation.outcome == "feasible"]
    assert sorted(desk.rows()) == feasible
    assert desk.page.get_by_label("everything", exact=True).is_checked()
    desk.page.get_by_role("button", name="Reset", exact=True).click()
    desk.page.get_by_label("feasible", exact=True).check()


def test_a_click_on_the_front_selects_the_trial_everywhere(desk):
    desk.page.locator(FIRST).scroll_into_view_if_needed()
    point = desk.page.locator(f"{FIRST} .scatterlayer .trace:nth-child(4) .point").first
    box = point.bounding_box()
    desk.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    desk.page.wait_for_selector(".trials tr.selected", state="attached")
    number = int(desk.page.locator(".trials tr.selected").get_attribute("data-trial"))
    assert f"--trial {number}" in desk.page.locator("#panel").inner_text()
    ringed, marked = desk.page.evaluate(f"""(() => {{
            const {{ data }} = document.querySelector('{FIRST}');
            const marks = data.flatMap(trace => (trace.customdata ?? []).flatMap(
                (trial, i) => trial === {number} ? [trace.x[i]] : []));
            return [data.at(-1).x, marks];
        }})()""")
    assert ringed == marked and len(ringed) >= 1
    assert desk.page.locator(f"{LINES} svg.picked polyline").count() == 2
    desk.page.keyboard.press("Escape")
    assert desk.page.locator("#panel").is_hidden()
    assert desk.page.locator(".trials tr.selected").count() == 0


def test_the_finalist_chosen_is_looked_at_closely(desk):
    record = with_finalists(make_record(TRIALS, seed=11), 3)
    for one in map(retrained, reversed(record.finalists)):
        desk.page.locator(f"[data-part=finalist] [value='{one.trial}']").check()
        desk.draw("[data-part=curves]")
        desk.draw("[data-part=confusion]")
        counts = desk.page.evaluate("document.querySelector('[data-part=confusion]').data[0].text")
        shown = [[int(cell.split("<br>")[0].replace(",", "")) for cell in row] for row in counts]
        assert shown == [list(row) for row in one.confusion]
        assert desk.page.evaluate("document.querySelector('[data-part=curves]').data.length") == 8
        clips = desk.page.locator("[data-part=worst] li").all_text_contents()
        assert [clip.split()[0] for clip in clips] == [name for name, _ in one.worst]
        assert all(f"{n} of 3" in clip for clip, (_, n) in zip(clips, one.worst, strict=True))


def test_a_click_on_a_finalist_chooses_it(desk):
    record = with_finalists(make_record(TRIALS, seed=11), 3)
    desk.page.locator(f"[data-part=finalist] [value='{record.finalists[0].trial}']").check()
    desk.page.locator(FIRST).scroll_into_view_if_needed()
    star = desk.page.locator(f"{FIRST} .scatterlayer .trace:nth-child(6) .point").first
    number = desk.page.evaluate(
        f"document.querySelector('{FIRST}').data.find(t => t.name?.startsWith('finalist'))"
        ".customdata[0]"
    )
    box = star.bounding_box()
    desk.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    desk.page.wait_for_selector("#panel:not([hidden])")
    chosen = desk.page.evaluate("document.querySelector('[data-part=finalist] :checked').value")
    assert f"Trial {number}" in desk.page.locator("#panel").inner_text()
    assert chosen == str(number)
    desk.page.keyboard.press("Escape")


def test_the_keyboard_reaches_every_control(visit, report):
    seen = visit(report)
    reached = tab_through(seen.page)
    for control in ("Finalist: trial", "Trials", "Axes", "Metrics", "Over"):
        assert f"radio {control}" in reached
    for control in ("Trial", "Meet the limits", "Reset", "Save as CSV"):
        assert any(name.startswith(f"BUTTON {control}") for name in reached)
    for control in ("SELECT parameter", "SELECT metric", "SUMMARY", "search Filter"):
        assert any(name.startswith(control) for name in reached)
    missed = seen.page.evaluate("""
        [...document.querySelectorAll('button, input, select, summary, a[href]')]
            .filter(one => one.checkVisibility() && one.tabIndex < 0).length
    """)
    assert missed == 0


def test_the_keyboard_keeps_its_place_where_the_table_is_filled_again(desk):
    page = desk.page
    row = page.locator(".trials tbody tr").nth(5)
    trial = row.get_attribute("data-trial")
    row.get_by_role("button").focus()
    page.locator("[type=search]").dispatch_event("input")
    assert page.evaluate("document.activeElement.closest('tr')?.dataset.trial") == trial


def test_the_keyboard_goes_back_to_where_a_trial_was_opened(desk):
    page = desk.page
    row = page.locator(".trials tbody tr").nth(5)
    trial = row.get_attribute("data-trial")
    row.get_by_role("button").press("Enter")
    page.locator("#panel .close").press("Enter")
    assert page.locator("#panel").is_hidden()
    assert page.evaluate("document.activeElement.closest('tr')?.dataset.trial") == trial


def tab_through(page):
    """Press Tab until the page ends; return what had the focus, by kind and name."""
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        name = page.evaluate("""(() => {
            const here = document.activeElement;
            if (here === document.body) return null;
            const legend = () => here.closest('fieldset').querySelector('legend').innerText;
            if (here.type === 'radio') return `radio ${legend()}`;
            if (here.type === 'search') return `search ${here.closest('label').innerText}`;
            const label = () => here.closest('label').firstChild.textContent;
            if (here.tagName === 'SELECT') return `SELECT ${label()}`;
            return `${here.tagName} ${here.innerText.slice(0, 40)}`;
        })()""")
        if name is None:
            break
        reached.append(name)
    return reached


def test_the_table_sorts_by_keyboard_filters_and_is_saved(desk, tmp_path):
    accuracy = desk.page.locator("th[data-column=accuracy]")
    accuracy.get_by_role("button").focus()
    desk.page.keyboard.press("Enter")
    assert accuracy.get_attribute("aria-sort") == "ascending"
    desk.page.keyboard.press("Enter")
    assert accuracy.get_attribute("aria-sort") == "descending"
    texts = desk.page.locator(".trials tbody td:nth-child(3)").all_inner_texts()
    values = [float(text.split()[0]) for text in texts]
    assert values == sorted(values, reverse=True) and len(set(values)) > 1
    desk.page.get_by_label("Filter").fill("log_mel")
    assert 0 < len(desk.rows()) < len(values)
    with desk.page.expect_download() as download:
        desk.page.get_by_role("button", name="Save as CSV").click()
    path = tmp_path / "trials.csv"
    download.value.save_as(path)
    with path.open(newline="") as file:
        saved = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in saved] == desk.rows()
    assert {row["frontend"] for row in saved} == {"log_mel"}
    desk.page.get_by_label("Filter").fill("")


def test_a_hostile_label_is_shown_as_text(visit, tmp_path):
    label = "<img src=x onerror=alert(1)>"
    record = make_record(
        60, seed=3, space=SPACE.replace("[stop, go]", f'["{label}", go]'), name=label
    )
    seen = visit(write(record, tmp_path / "report.html"))
    seen.draw(FIRST)
    assert seen.page.locator("img").count() == 0
    assert label in seen.page.locator("header").inner_text()
    assert len(seen.requests) == 1


def test_two_thousand_trials_load_in_three_seconds(visit, tmp_path):
    """The page can be read at once; its main thread is done with the first figures in time.

    Processor time is counted, not time on the clock: other tests may run beside this one.
    """
    path = write(make_record(2000, seed=12), tmp_path / "report.html")
    seen = visit(path)
    session = seen.context.new_cdp_session(seen.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    seen.page.reload()
    seen.page.wait_for_selector(f"{FIRST} .main-svg", state="attached")
    metrics = session.send("Performance.getMetrics")["metrics"]
    spent = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
    assert 0 < spent < 3
    assert len(seen.rows()) == 100
    seen.page.get_by_role("button", name="Show all").click()
    assert len(seen.rows()) > 100
    assert path.stat().st_size < 9e6


def test_a_phone_never_scrolls_sideways(visit, report):
    seen = visit(report, width=360, is_mobile=True, has_touch=True)
    for selector in FIGURES:
        seen.draw(selector)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_plots_follow_the_colour_scheme(visit, report):
    seen = visit(report, color_scheme="dark")
    seen.draw(FIRST)
    paper = f"getComputedStyle(document.querySelector('{FIRST} .main-svg')).backgroundColor"
    assert seen.page.evaluate(paper) == "rgb(20, 24, 29)"
    seen.page.emulate_media(color_scheme="light")
    seen.page.wait_for_function(f"{paper} === 'rgb(255, 255, 255)'")


@pytest.mark.parametrize("trials", [0, 1])
def test_few_trials_are_shown_without_complaint(visit, tmp_path, trials):
    seen = visit(write(make_record(trials), tmp_path / "report.html"))
    seen.draw(FIRST)
    seen.draw("[data-part=progress]")
    assert seen.rows() == list(range(trials))


def test_without_webgl_the_page_says_so(visit, report):
    seen = visit(report)
    seen.page.add_init_script(WITHOUT_WEBGL)
    seen.page.reload()
    seen.page.locator(LINES).scroll_into_view_if_needed()
    seen.page.wait_for_selector(f"{LINES}.empty")
    assert "needs WebGL" in seen.page.locator(LINES).inner_text()


def test_the_page_opens_at_the_trial_that_its_address_names(visit, report):
    record = make_record(TRIALS, seed=11)
    number = next(t.number for t in record.trials if t.evaluation.outcome == "feasible")
    seen = visit(report, fragment=f"#trial-{number}")
    panel = seen.page.locator("#panel")
    assert f"Trial {number}" in panel.inner_text() and "Feasible" in panel.inner_text()
    seen.page.evaluate("location.hash = 'trial-999999'")
    seen.page.wait_for_selector("text=Trial 999999 has not ended.")
    seen.page.keyboard.press("Escape")
    assert panel.is_hidden() and "#" not in seen.page.url


def test_pointing_at_a_trial_shows_all_of_it(desk):
    desk.page.locator(FIRST).scroll_into_view_if_needed()
    text = desk.page.evaluate(
        f"document.querySelector('{FIRST}').data.find(t => t.name === 'on the front').text[0]"
    )
    for told in ("<b>trial ", "accuracy 0.9", "size ", "KB", "alpha ", "noise_snr_db "):
        assert told in text


def test_a_stream_is_looked_at_where_it_has_a_false_alarm(visit, tmp_path):
    record = with_finalists(make_record(60, seed=3, space=SPOTTER), 2)
    seen = visit(write(record, tmp_path / "report.html"))
    seen.draw("[data-part=det]")
    seen.draw("[data-part=timeline]")
    shown = "document.querySelector('[data-part=timeline]').layout.xaxis.range"
    alarm = seen.page.locator("[data-part=false-alarms] li").nth(2)
    minutes, seconds = alarm.locator("button").inner_text().split(":")
    alarm.locator("button").click()
    seen.settle()
    low, high = seen.page.evaluate(shown)
    assert low < 60 * int(minutes) + int(seconds) < high
    seen.page.get_by_role("button", name="Later").click()
    seen.settle()
    assert seen.page.evaluate(shown)[0] > low
    assert seen.page.locator("[data-part=streams] audio:visible").count() == 0
