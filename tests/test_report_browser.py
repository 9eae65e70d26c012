"""report.html in a real browser: headless Chromium, with no network to ask."""

import base64
import json
import shutil
import time

import pytest

from svhn_tune.report import write_report

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
DRIVER = shutil.which("chromedriver") or ""
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER),
    reason="no chromium and chromedriver (Debian: apt-get install chromium chromium-driver)",
)

pytestmark = pytest.mark.slow

# A machine without a graphics card draws WebGL in software.
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
PLOT = "document.querySelector('#parallel_coordinates .plot')"


@pytest.fixture(scope="module")
def address(tmp_path_factory, make_project):
    """Where the page of a project with trials of several values is."""
    trials = [
        {
            "score": 0.5 + 0.03 * number,
            "metrics": {
                "loss": [2.0, 1.9, 1.8, 1.5 - 0.1 * number],
                "categorical_accuracy": [0.2, 0.3, 0.4, 0.5 + 0.03 * number],
                "val_loss": [2.0, 1.9, 1.8, 1.5 - 0.1 * number],
                "val_categorical_accuracy": [0.2, 0.3, 0.4, 0.5 + 0.03 * number],
                "seconds": [1.0] * 4,
            },
        }
        for number in range(12)
    ]
    trials.append({"status": "failed", "reason": "its worker died 3 times"})
    project = make_project(tmp_path_factory.mktemp("browser") / "cnn", trials)
    return write_report(project).as_uri()


@pytest.fixture(scope="module")
def chromium():
    """One browser for all tests of this file."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium, address):
    """The page, newly opened in a light window of 1280 x 900."""
    look_as_ever(chromium)
    for log in ("browser", "performance"):
        chromium.get_log(log)
    chromium.get(address)
    return chromium


@pytest.fixture
def seen_page(chromium, address):
    """The page as the test before left it, if that had it: to open it and draw takes 1.5 s."""
    look_as_ever(chromium)
    if chromium.current_url != address:
        chromium.get(address)
    return chromium


def look_as_ever(chromium):
    set_scheme(chromium, "light")
    resize(chromium, 1280, 900)


def set_scheme(chromium, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def resize(chromium, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def run(chromium, expression):
    return chromium.execute_script(f"return {expression}")


def wait_until(chromium, expression):
    """Wait until it is true, for at most a minute."""
    end = time.monotonic() + 60
    while not run(chromium, expression):
        assert time.monotonic() < end, expression
        time.sleep(0.05)


def open_plot(chromium):
    """Scroll to the interactive figure, and wait until it is drawn."""
    chromium.execute_script(f"{PLOT}.closest('figure').scrollIntoView()")
    wait_until(chromium, f"{PLOT}.querySelectorAll('.axis-brush').length > 1")


def column(chromium, title):
    """The texts of a column of the table of trials, from top to bottom."""
    return run(
        chromium,
        f"""(() => {{
            const table = document.getElementById('trials');
            const titles = [...table.tHead.rows[0].cells].map(c => c.textContent);
            const place = titles.indexOf({json.dumps(title)});
            return [...table.tBodies[0].rows].map(row => row.cells[place].textContent);
        }})()""",
    )


def find_button(chromium, title):
    from selenium.webdriver.common.by import By

    path = f"//table[@id='trials']//button[normalize-space()='{title}']"
    return chromium.find_element(By.XPATH, path)


def test_no_error_and_no_request(page):
    open_plot(page)
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"].endswith("WillBeSent")]
    assert len([url for url in sent if url.startswith("file:")]) == 1
    assert all(url.startswith(("file:", "data:", "blob:")) for url in sent)
    assert page.get_log("browser") == []


def test_a_title_sorts_by_click(page):
    button = find_button(page, "score")
    button.click()
    scores = column(page, "score")
    assert scores[-1] == "-"
    assert scores[:-1] == sorted(scores[:-1], key=float)
    button.click()
    scores = column(page, "score")
    assert scores[-1] == "-"
    assert scores[:-1] == sorted(scores[:-1], key=float, reverse=True)
    sorted_by = "[...document.querySelectorAll('#trials th[aria-sort]')]"
    assert run(page, f"{sorted_by}.map(each => [each.textContent, each.ariaSort])") == [
        ["score", "descending"]
    ]


def test_a_title_sorts_by_keyboard_and_words_sort_as_words(seen_page):
    from selenium.webdriver.common.keys import Keys

    find_button(seen_page, "status").send_keys(Keys.ENTER)
    assert column(seen_page, "status")[-1].startswith("failed")
    find_button(seen_page, "status").send_keys(Keys.SPACE)
    assert column(seen_page, "status")[0].startswith("failed")
    assert run(seen_page, "document.activeElement.textContent") == "status"
    find_button(seen_page, "trial").send_keys(Keys.ENTER)
    assert column(seen_page, "trial") == [f"{trial:03d}" for trial in range(13)]


def test_dragging_along_an_axis_keeps_what_crosses_it_there(seen_page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    open_plot(seen_page)
    brushed = f"{PLOT}.data[0].dimensions.filter(d => d.constraintrange).length"
    assert run(seen_page, brushed) == 0
    axis = seen_page.find_elements(By.CSS_SELECTOR, "#parallel_coordinates .axis-brush")[0]
    (
        ActionChains(seen_page)
        .move_to_element_with_offset(axis, 0, -40)
        .click_and_hold()
        .move_by_offset(0, 40)
        .move_by_offset(0, 40)
        .release()
        .perform()
    )
    wait_until(seen_page, f"{brushed} === 1")


SCORE = "document.querySelector('#score_against_hours .plot')"


def open_score(chromium):
    """Scroll to the score, and wait until it can be explored."""
    chromium.execute_script(f"{SCORE}.closest('figure').scrollIntoView()")
    wait_until(chromium, f"{SCORE}.parentNode.parentNode.querySelector('.switch') !== null")


def test_the_score_switches_to_epochs_and_back(seen_page):
    from selenium.webdriver.common.by import By

    open_score(seen_page)
    title = f"{SCORE}.layout.xaxis.title.text"
    assert run(seen_page, title).startswith("minutes of training")
    buttons = seen_page.find_elements(By.CSS_SELECTOR, "#score_against_hours .switch button")
    assert [button.text for button in buttons] == ["against minutes", "against epochs"]
    buttons[1].click()
    wait_until(seen_page, f"{title}.startsWith('epochs of training')")
    assert run(seen_page, f"{SCORE}.data[0].x.slice(0, 3)") == [4, 8, 12]
    assert [button.get_attribute("aria-pressed") for button in buttons] == ["false", "true"]
    buttons[0].click()
    wait_until(seen_page, f"{title}.startsWith('minutes')")


def test_a_dot_of_the_score_says_what_it_is(seen_page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    open_score(seen_page)
    dot = seen_page.find_elements(By.CSS_SELECTOR, "#score_against_hours .points path")[3]
    ActionChains(seen_page).move_to_element(dot).perform()
    said = "document.querySelector('#score_against_hours .hoverlayer').textContent"
    wait_until(seen_page, f"{said}.includes('trial 003: 0.5900 after 4 epochs')")
    assert "units=67" in run(seen_page, said)


def test_a_frame_zooms_and_the_legend_filters(seen_page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    open_score(seen_page)
    area = seen_page.find_element(By.CSS_SELECTOR, "#score_against_hours .nsewdrag")
    before = run(seen_page, f"{SCORE}.layout.xaxis.range")
    (
        ActionChains(seen_page)
        .move_to_element_with_offset(area, -100, -60)
        .click_and_hold()
        .move_by_offset(100, 60)
        .move_by_offset(60, 30)
        .release()
        .perform()
    )
    wait_until(seen_page, f"{SCORE}.layout.xaxis.range[0] > {before[0]} + 0.01")
    assert run(seen_page, f"{SCORE}.layout.xaxis.range")[1] < before[1]
    seen_page.find_element(By.CSS_SELECTOR, "#score_against_hours .legendtoggle").click()
    wait_until(seen_page, f"{SCORE}.data[0].visible === 'legendonly'")


def test_a_wide_page_cuts_neither_the_table_nor_an_axis(page):
    resize(page, 1200, 900)
    open_plot(page)
    for box in ("#trials", "#parallel_coordinates .plot"):
        scroll = f"document.querySelector('{box}').closest('.scroll')"
        assert run(page, f"{scroll}.scrollWidth <= {scroll}.clientWidth"), box
    labels = f"[...{PLOT}.querySelectorAll('.axis-title')]"
    assert run(page, f"{labels}.map(e => e.textContent)")[0] == "validation accuracy"
    edge = f"{PLOT}.getBoundingClientRect()"
    rights = f"{labels}.map(e => e.getBoundingClientRect())"
    assert run(page, f"{rights}.every(r => r.left >= {edge}.left && r.right <= {edge}.right)")


def test_a_dark_scheme_is_dark_with_light_letters(seen_page):
    def brightness(selector, name):
        color = run(seen_page, f"getComputedStyle(document.querySelector('{selector}')).{name}")
        return sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(",")))

    assert brightness("body", "backgroundColor") > 600 > 300 > brightness("svg text", "fill")
    open_plot(seen_page)
    set_scheme(seen_page, "dark")
    assert brightness("body", "backgroundColor") < 300 < 600 < brightness("svg text", "fill")
    wait_until(seen_page, f"{PLOT}.layout.font.color === getComputedStyle(document.body).color")


@pytest.mark.parametrize(
    "width", [360, *(pytest.param(width, marks=pytest.mark.soak) for width in (390, 768))]
)
def test_a_narrow_page_does_not_scroll_sideways(page, width):
    resize(page, width, 800)
    open_plot(page)
    room = run(page, "document.documentElement.clientWidth")
    assert width - 20 < room <= width
    assert run(page, "document.documentElement.scrollWidth") == room
    sticking_out = (
        "[...document.querySelectorAll('body *')].filter(each => !each.closest('.scroll')"
    )
    assert run(page, f"{sticking_out} && each.getBoundingClientRect().right > {room}).length") == 0


def test_it_prints_with_the_still_picture(seen_page):
    open_plot(seen_page)
    assert not run(seen_page, "document.querySelector('#parallel_coordinates .still').offsetHeight")
    seen_page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert (
        run(seen_page, "document.querySelector('#parallel_coordinates .still').offsetHeight") > 100
    )
    assert not run(seen_page, "document.querySelector('#parallel_coordinates .live').offsetHeight")
    seen_page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    pdf = base64.b64decode(seen_page.print_page())
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") >= 2


def test_without_webgl_the_picture_stays_still_and_says_so(page, address):
    script = "HTMLCanvasElement.prototype.getContext = () => null"
    added = page.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        page.get(address)
        page.execute_script(f"{PLOT}.closest('figure').scrollIntoView()")
        why = "document.querySelector('#parallel_coordinates .why-still[role]')"
        wait_until(page, f"!{why}.hidden")
        assert run(page, f"{why}.textContent").startswith("A still picture, for this browser has")
        assert run(page, "document.querySelector('#parallel_coordinates .still').offsetHeight")
    finally:
        page.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_without_scripts_it_reads_the_same(page, address):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.get(address)
        from selenium.webdriver.common.by import By

        assert page.find_element(By.CSS_SELECTOR, "#parallel_coordinates .still svg").is_displayed()
        assert page.find_element(By.CSS_SELECTOR, "noscript p").is_displayed()
        assert page.find_element(By.CSS_SELECTOR, "#trials tbody tr").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
