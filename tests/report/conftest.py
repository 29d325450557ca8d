"""A headless Chromium to look at pages with."""

import shutil
from pathlib import Path

import pytest

from sweep.report.page import write

from .fake_studies import make_record, with_finalists

TRIALS = 160
PATIENCE_IN_MS = 120_000
"""How long a browser may take for a step: much, where the machine is busy with other work."""
WITHOUT_WEBGL = """
    const real = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind.includes('webgl') ? null : real.call(this, kind, ...rest);
    };
"""
"""A script that takes WebGL from a browser."""
FIGURES = (
    "[data-figure=front-size_kb]",
    "[data-part=slice]",
    "[data-part=parallel]",
    "[data-part=progress]",
)
_FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium():
    """A running headless Chromium with software WebGL."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """The report of a study of TRIALS trials, three of them trained again."""
    record = with_finalists(make_record(TRIALS, seed=11), 3)
    return write(record, tmp_path_factory.mktemp("report") / "report.html")


class Visit:
    """A page opened from disk, with everything it asked for and complained about."""

    def __init__(
        self, browser, path: Path, width: int = 1200, fragment: str = "", **context
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce", **context
        )
        self.context.set_default_timeout(PATIENCE_IN_MS)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.problems: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "console", lambda line: line.type == "error" and self.problems.append(line.text)
        )
        self.page.goto(path.as_uri() + fragment)

    def draw(self, selector: str) -> None:
        """Scroll to a figure and wait until it is drawn."""
        self.page.locator(selector).scroll_into_view_if_needed()
        self.page.wait_for_selector(f"{selector}.js-plotly-plot .main-svg")
        self.settle()

    def settle(self) -> None:
        """Let the page finish what it is at: two frames."""
        self.page.evaluate(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def rows(self) -> list[int]:
        """The numbers of the trials in the table."""
        return self.page.eval_on_selector_all(
            ".trials tbody tr", "rows => rows.map(row => Number(row.dataset.trial))"
        )


@pytest.fixture(scope="module")
def desk(chromium, report):
    """The report on a desktop, every figure drawn; tests leave it as they found it."""
    seen = Visit(chromium, report)
    for selector in FIGURES:
        seen.draw(selector)
    yield seen
    seen.context.close()
    assert seen.problems == []


@pytest.fixture
def visit(chromium):
    """Open pages; each is closed at the end of the test, and must not have complained."""
    visits = []

    def open_page(path: Path, **options) -> Visit:
        visits.append(Visit(chromium, path, **options))
        return visits[-1]

    yield open_page
    for one in visits:
        one.context.close()
        assert one.problems == []
