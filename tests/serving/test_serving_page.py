"""The page in headless Chromium, from dropping files to the downloaded table."""

import base64
import csv
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from running import IMAGES, TOKEN, Server, ask

from clothing_classifier import Classifier
from clothing_classifier.prediction import CSV_HEADER
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.preprocessing.fitting import resized

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="needs a browser: apt-get install chromium chromium-driver"
)
Driver = Any
PHOTOS = IMAGES[0:240:40]


@pytest.fixture(scope="module")
def browser() -> Iterator[Driver]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--force-prefers-reduced-motion",  # what fades in is not yet visible to the driver
        "--window-size=1280,1000",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Driver, server: Server) -> Iterator[Driver]:
    """The page, with its models there; after the test nothing may have been blocked or thrown."""
    browser.get(server.url)
    until(browser, lambda: find(browser, "#model").is_enabled())
    yield browser
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in severe if "Failed to load resource" not in message] == []


def find(browser: Driver, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def find_all(browser: Driver, selector: str) -> list[Any]:
    return list(browser.find_elements(By.CSS_SELECTOR, selector))


def until(browser: Driver, condition: Callable[[], object]) -> None:
    WebDriverWait(browser, 30, poll_frequency=0.05).until(lambda _: condition())


def give(browser: Driver, files: list[tuple[str, bytes]], event: str = "drop") -> None:
    """Drop or paste files, as a browser hands them over."""
    browser.execute_script(
        """
        const [files, kind] = arguments, data = new DataTransfer();
        for (const [name, content] of files) {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          data.items.add(new File([bytes], name));
        }
        const event = kind === "drop"
          ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
          : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
        document.body.dispatchEvent(event);
        """,
        [(name, base64.b64encode(content).decode()) for name, content in files],
        event,
    )


def answered(browser: Driver, count: int) -> None:
    until(browser, lambda: len(find_all(browser, "#gallery li:not(.waiting)")) == count)


def labels(browser: Driver) -> list[str]:
    return [element.text for element in find_all(browser, "#gallery .label")]


def photos() -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in PHOTOS]


def test_dropped_pictures_get_the_models_labels(page: Driver) -> None:
    give(page, [*photos(), ("notes.txt", b"no image")])
    answered(page, len(PHOTOS) + 1)
    expected = list(Classifier.load().predict_many(PHOTOS, min_precision=0.95))
    assert labels(page) == [
        *("Not sure" if prediction.abstained else str(prediction.label) for prediction in expected),
        "Can't be used",
    ]
    assert "not an image in an accepted format" in find(page, ".failed .others").text
    assert find(page, "#summary").text.startswith(f"{len(PHOTOS)} of {len(PHOTOS) + 1} pictures labelled")


def test_too_large_a_file_is_told_so(page: Driver) -> None:
    page.execute_script("""
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(25e6)], "large.jpg"));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    """)
    answered(page, 1)
    assert "larger than 20 MB" in find(page, ".failed .others").text


def test_chosen_pasted_and_photographed_pictures(page: Driver) -> None:
    find(page, "#files").send_keys(str(PHOTOS[0]))
    answered(page, 1)
    give(page, photos()[1:2], "paste")
    answered(page, 2)
    find(page, "#photograph").click()
    until(page, lambda: page.execute_script("return document.querySelector('video').videoWidth > 0"))
    find(page, "#snap").click()
    find(page, "#stop").click()
    answered(page, 3)
    assert find_all(page, "#gallery .name")[2].text.startswith("photo-")
    find(page, "#clear").click()
    assert not find_all(page, "#gallery li")
    assert page.switch_to.active_element.get_attribute("id") == "choose"


def test_not_sure_is_shown_as_such(page: Driver) -> None:
    Select(find(page, "#precision")).select_by_visible_text("at least 99%")
    predictions = list(Classifier.load().predict_many(IMAGES[:60], min_precision=0.99))
    unsure = next(index for index, prediction in enumerate(predictions) if prediction.abstained)
    give(page, [("unsure.png", IMAGES[unsure].read_bytes())])
    answered(page, 1)
    assert labels(page) == ["Not sure"]
    assert find(page, "#gallery .others").text.startswith(f"perhaps {predictions[unsure].label}")
    assert find_all(page, "#gallery li.unsure")
    Select(find(page, "#precision")).select_by_visible_text("always answer")
    until(page, lambda: labels(page) == [predictions[unsure].label])


def test_the_class_map_lies_over_the_photo(page: Driver) -> None:
    give(page, photos()[:1])
    answered(page, 1)
    find(page, ".card").click()
    assert not find(page, "#heat").is_displayed()
    find(page, ".switch").click()
    until(page, lambda: find(page, "#heat").is_displayed())
    assert find(page, "#heat").rect == find(page, "#photo").rect
    assert strongest(page) == pytest.approx(expected_centre(PHOTOS[0]), abs=0.15)
    find(page, ".switch").click()
    until(page, lambda: not find(page, "#heat").is_displayed())
    find(page, "#close").click()


def strongest(page: Driver) -> list[float]:
    """Where on the photo the class map is strongest, down and across, as shares."""
    found: list[float] = page.execute_script("""
        const canvas = document.getElementById("heat");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let best = 0;
        for (let at = 3; at < data.length; at += 4) if (data[at] > data[best + 3]) best = at - 3;
        const pixel = best / 4;
        return [Math.floor(pixel / canvas.width) / canvas.height, (pixel % canvas.width) / canvas.width];
    """)
    return found


def test_the_map_and_the_field_of_a_photo_on_its_side_lie_with_it(page: Driver) -> None:
    path, spots = next(path for path in IMAGES if Classifier.load().predict(path).turn == 0), {}
    for turn in (0, 90, 180, 270):
        with Image.open(path) as image:
            data = io.BytesIO()
            image.rotate(turn, expand=True).save(data, "PNG")  # counter-clockwise: reading turns it back
        give(page, [(f"{turn}.png", data.getvalue())])
        answered(page, 1)
        assert Classifier.load().predict(data.getvalue()).turn == turn
        find(page, ".card").click()
        find(page, ".switch").click()
        until(page, lambda: find(page, "#heat").is_displayed())
        spots[turn] = strongest(page)
        find(page, ".switch").click()
        find(page, "#close").click()
        find(page, "#clear").click()
    down, across = spots[0]
    expected = {90: [1 - across, down], 180: [1 - down, 1 - across], 270: [across, 1 - down]}
    for turn, spot in expected.items():
        assert spots[turn] == pytest.approx(spot, abs=0.04)
    program = """const [done] = [...arguments].slice(-1); import("/page/geometry.js").then((m) => done(
        [0, 90, 180, 270].map((turn) => {
          const spot = m.turned([10, 40], turn, 256);
          const box = { top: spot[0], left: spot[1], height: 0, width: 0 };
          return m.turnedBack(box, turn, 256);
        })))"""
    assert page.execute_async_script(program) == [{"top": 10, "left": 40, "height": 0, "width": 0}] * 4


def expected_centre(path: Path) -> list[float]:
    """Where on a photo the strongest cell of its class map looks, down and across, as shares."""
    from clothing_classifier.preprocessing import prepare

    classifier = Classifier.load()
    pixels = prepare(path, classifier.bundle.contract)[None]
    class_map = classifier.run(pixels, "class_map")[0, int(classifier.run(pixels).argmax())]
    row, column = divmod(int(class_map.argmax()), class_map.shape[1])
    last = (classifier.manifest.stages or [])[-1]
    with Image.open(path) as image:
        width, height = image.size
    columns, rows = resized((width, height), classifier.bundle.contract)
    size = classifier.manifest.preprocessing.size
    centres = [last["start"][k] + last["receptive_field"][k] / 2 + last["stride"][k] * (row, column)[k] for k in (0, 1)]
    return [(centres[0] - (size - rows) // 2) / rows, (centres[1] - (size - columns) // 2) / columns]


def test_the_field_of_a_stage_is_drawn_where_it_is_pointed_at(page: Driver) -> None:
    give(page, photos()[:1])
    answered(page, 1)
    find(page, ".card").click()
    stages = Classifier.load().manifest.stages or []
    rows = find_all(page, "#stages label")
    assert [row.text.split()[0] for row in rows] == ["none", *(stage["name"] for stage in stages)]
    for stage, row in list(zip(stages, rows[1:], strict=True))[2:5]:
        ActionChains(page).move_to_element(row).perform()
        until(page, lambda name=stage["name"]: f"of {name} sees" in find(page, "#field-text").text)
        frame = find(page, "#field .frame")
        assert float(frame.get_attribute("width")) == stage["receptive_field"][1]
        left = float(frame.get_attribute("x")) - stage["start"][1]
        assert left % stage["stride"][1] == 0
    rows[4].click()
    before = float(find(page, "#field .frame").get_attribute("x"))
    find(page, "#stage").send_keys(Keys.ARROW_RIGHT)
    assert float(find(page, "#field .frame").get_attribute("x")) == before + stages[3]["stride"][1]
    ActionChains(page).move_to_element_with_offset(find(page, "#stage"), -60, -80).perform()
    assert float(find(page, "#field .frame").get_attribute("x")) < before
    find(page, "#close").click()


def test_the_square_lies_on_the_photo_as_the_contract_says(page: Driver) -> None:
    for fit in ("pad", "squash", "crop"):
        for width, height in ((400, 534), (534, 400), (256, 256), (1000, 3), (37, 1000)):
            place = page.execute_async_script(
                "const [w, h, size, fit, done] = arguments;"
                "import('/page/geometry.js').then((m) => done(m.photoInSquare(w, h, { size, fit })))",
                width, height, 256, fit,
            )  # fmt: skip
            columns, rows = resized((width, height), ImageContract(256, fit))
            if fit == "crop":
                assert min(place["width"], place["height"]) == pytest.approx(256)
            else:
                expected = {"left": (256 - columns) // 2, "top": (256 - rows) // 2, "width": columns, "height": rows}
                assert place == expected


def test_another_model_labels_the_same_pictures(page: Driver) -> None:
    Select(find(page, "#precision")).select_by_visible_text("always answer")
    give(page, photos())
    answered(page, len(PHOTOS))
    model = Select(find(page, "#model"))
    model.select_by_value("benchmark-10")
    expected = [str(prediction.label) for prediction in Classifier.load("benchmark-10").predict_many(PHOTOS)]
    until(page, lambda: labels(page) == expected)
    find(page, ".card").click()
    assert len(find_all(page, "#stages label")) > 1
    find(page, "#close").click()


def test_the_table_is_downloaded_and_runs_no_formula(page: Driver, tmp_path: Path) -> None:
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    Select(find(page, "#precision")).select_by_visible_text("always answer")
    give(page, [('=1+1,"x".png', photos()[0][1]), ("-b.png", b"no image"), *photos()[2:3]])
    answered(page, 3)
    find(page, "#download").click()
    file = tmp_path / "clothing.csv"
    for _ in range(100):
        if file.exists():
            break
        time.sleep(0.05)
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert [row["path"] for row in rows] == ['\'=1+1,"x".png', "'-b.png", photos()[2][0]]
    prediction = Classifier.load().predict(PHOTOS[0])
    assert (rows[0]["label"], float(rows[0]["confidence"])) == (prediction.label, pytest.approx(prediction.confidence))
    assert float(rows[0]["unfamiliarity"]) == pytest.approx(prediction.unfamiliarity)
    assert [*rows[0]][:-2] == [*CSV_HEADER]
    assert rows[0]["top"].startswith(f"{prediction.label} {prediction.confidence:.4f}; ")
    assert rows[1]["error"].startswith("not an image")


def test_the_keyboard_goes_everywhere(page: Driver) -> None:
    give(page, photos()[:2])
    answered(page, 2)
    find(page, "#clear").send_keys(Keys.TAB)
    assert page.switch_to.active_element == find(page, ".card")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    until(page, lambda: find(page, "#inspector").is_displayed())
    find(page, "#show-heat").send_keys(Keys.SPACE)
    until(page, lambda: find(page, "#heat").is_displayed())
    find(page, "#next").send_keys(Keys.ENTER)
    assert find(page, "#inspected").text == PHOTOS[1].name
    find(page, "#stages input").send_keys(Keys.ARROW_DOWN)
    until(page, lambda: "of stem sees" in find(page, "#field-text").text)
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(page, lambda: not find(page, "#inspector").is_displayed())
    until(page, lambda: page.switch_to.active_element == find_all(page, ".card")[1])


def test_every_control_has_a_name_for_screen_readers(page: Driver) -> None:
    give(page, photos()[:1])
    answered(page, 1)
    find(page, ".card").click()
    tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = {"button", "combobox", "radio", "switch", "link", "checkbox"}
    nameless = [
        node["role"]["value"]
        for node in tree
        if not node["ignored"] and node["role"]["value"] in controls and not node["name"]["value"].strip()
    ]
    assert nameless == []
    assert find(page, "#summary").get_attribute("aria-live") == "polite"
    find(page, "#close").click()


def test_nothing_is_asked_of_others(page: Driver, server: Server) -> None:
    for path in ("/", "/docs"):
        page.get(server.url + path)
        until(page, lambda: find_all(page, "#model option, #operations section"))
        asked = page.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
        assert asked
        assert all(name.startswith(server.url) for name in asked)
    assert "/v1/predict" in find(page, "#operations").text


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_screen(page: Driver, width: int, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        give(page, photos()[:3])
        answered(page, 3)
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.execute_script(wide) <= 0
        find(page, ".card").click()
        until(page, lambda: find(page, "#photo").rect["width"] > 0)
        assert page.execute_script("const d = document.getElementById('inspector'); "
                                   "return d.scrollWidth - d.clientWidth") <= 0  # fmt: skip
        ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(19, 21, 24)") == (scheme == "dark")
        find(page, "#close").click()
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_token_is_asked_for_and_kept(browser: Driver, strict_server: Server) -> None:
    browser.get(strict_server.url)
    until(browser, lambda: find(browser, "#token-dialog").is_displayed())
    find(browser, "#token").send_keys(TOKEN + Keys.ENTER)
    until(browser, lambda: find(browser, "#model").is_enabled())
    give(browser, photos())  # more than this server's queue takes at once
    answered(browser, len(PHOTOS))
    assert "Can't be used" not in labels(browser)
    browser.get_log("browser")


def test_the_documents_example_is_right(server: Server) -> None:
    described = json.loads(ask(server, "/v1/predict?top=5&min_precision=0.97", PHOTOS[0].read_bytes()).body)
    assert len(described["predictions"][0]["top"]) == 5
