"""The page in headless Chromium, from dropping files to the downloaded table."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from helpers.running import IMAGES, TOKEN, Server, until
from PIL import Image

from clothing_classifier import Classifier
from clothing_classifier.preprocessing import ImageContract, prepare
from clothing_classifier.preprocessing.fitting import resized
from clothing_classifier.report.predictions import CSV_HEADER

pytest.importorskip("selenium")
from helpers.browsing import PHOTOS, Driver, answered, find, find_all, give, labels, photos
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

NEVER_ABSTAIN = "none: never abstain"


def choose_precision(page: Driver, text: str) -> None:
    Select(find(page, "#precision")).select_by_visible_text(text)


def inspect(page: Driver, number: int = 0) -> None:
    find_all(page, ".card")[number].click()
    until(lambda: find(page, "#inspector").is_displayed())


def strongest(page: Driver) -> list[float]:
    """Switch the class map on; return where on the photo it is strongest, down and across, as fractions."""
    find(page, ".switch").click()
    until(lambda: find(page, "#heat").is_displayed())
    found: list[float] = page.execute_script("""
        const canvas = document.getElementById("heat");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let best = 0;
        for (let at = 3; at < data.length; at += 4) if (data[at] > data[best + 3]) best = at - 3;
        const pixel = best / 4;
        return [Math.floor(pixel / canvas.width) / canvas.height, (pixel % canvas.width) / canvas.width];
    """)
    find(page, ".switch").click()
    until(lambda: not find(page, "#heat").is_displayed())
    return found


def expected_centre(path: Path) -> list[float]:
    """Where on a photo the strongest cell of its class map looks, down and across, as fractions."""
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


def test_pictures_are_dropped_inspected_and_downloaded_as_a_table(page: Driver, tmp_path: Path) -> None:
    give(page, [*photos(), ("=1+1,notes.txt", b"no image")])
    answered(page, len(PHOTOS) + 1)
    expected = list(Classifier.load().predict_many(PHOTOS, min_precision=0.95))
    assert labels(page) == [
        *("Not sure" if prediction.abstained else str(prediction.label) for prediction in expected),
        "Can't be read",
    ]
    assert "not an image in an accepted format" in find(page, ".failed .others").text
    assert find(page, "#summary").text.startswith(f"{len(PHOTOS)} of {len(PHOTOS) + 1} pictures classified")

    inspect(page)
    assert strongest(page) == pytest.approx(expected_centre(PHOTOS[0]), abs=0.15)
    find(page, "#close").click()

    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    find(page, "#download").click()
    file = tmp_path / "clothing.csv"
    until(file.exists)
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert [row["path"] for row in rows] == [*(name for name, _ in photos()), "'=1+1,notes.txt"]
    assert [*rows[0]][:-2] == [*CSV_HEADER]
    assert (rows[0]["label"], float(rows[0]["ood_score"])) == (expected[0].label, pytest.approx(expected[0].ood_score))
    assert rows[0]["top"].startswith(f"{expected[0].label} {expected[0].confidence:.4f}; ")
    assert rows[-1]["error"].startswith("not an image")


def test_nothing_is_requested_from_others(page: Driver, server: Server) -> None:
    for path in ("/", "/docs"):
        page.get(server.url + path)
        until(lambda: find_all(page, "#model option, #operations section"))
        requested = page.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
        assert requested
        assert all(name.startswith(server.url) for name in requested)
    assert "/v1/predict" in find(page, "#operations").text


def test_a_token_is_asked_for_and_kept(browser: Driver, strict_server: Server) -> None:
    browser.get(strict_server.url)
    until(lambda: find(browser, "#token-dialog").is_displayed())
    find(browser, "#token").send_keys(TOKEN + Keys.ENTER)
    until(lambda: find(browser, "#model").is_enabled())
    give(browser, photos())  # more than this server's queue takes at once
    answered(browser, len(PHOTOS))
    assert "Can't be read" not in labels(browser)
    browser.get_log("browser")


def test_another_precision_and_another_model_classify_the_same_pictures(page: Driver) -> None:
    choose_precision(page, "99%")
    predictions = list(Classifier.load().predict_many(IMAGES[:60], min_precision=0.99))
    unsure = next(index for index, prediction in enumerate(predictions) if prediction.abstained)
    give(page, [("unsure.png", IMAGES[unsure].read_bytes()), *photos()])
    answered(page, 1 + len(PHOTOS))
    assert labels(page)[0] == "Not sure"
    assert find(page, "#gallery .others").text.startswith(f"perhaps {predictions[unsure].label}")
    choose_precision(page, NEVER_ABSTAIN)
    until(lambda: labels(page)[0] == predictions[unsure].label)
    Select(find(page, "#model")).select_by_value("benchmark-10")
    expected = [str(prediction.label) for prediction in Classifier.load("benchmark-10").predict_many(PHOTOS)]
    until(lambda: labels(page)[1:] == expected)


@pytest.mark.slow
def test_pictures_come_from_folders_the_clipboard_and_the_camera(page: Driver, tmp_path: Path) -> None:
    for name in ("item-1/front.jpg", "item-2/front.jpg", "item-2/._front.jpg", "__MACOSX/front.jpg", "notes.txt"):
        file = tmp_path / "closet" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PHOTOS[0], file)
    data = {"items": [], "files": [str(tmp_path / "closet")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 100, "y": 100, "data": data})
    answered(page, 2)
    names = sorted(name.text for name in find_all(page, "#gallery .name"))
    assert names == ["closet/item-1/front.jpg", "closet/item-2/front.jpg"]
    find(page, "#files").send_keys(str(PHOTOS[0]))
    answered(page, 3)
    give(page, photos()[1:2], "paste")
    answered(page, 4)
    find(page, "#photograph").click()
    until(lambda: page.execute_script("return document.querySelector('video').videoWidth > 0"))
    find(page, "#snap").click()
    find(page, "#stop").click()
    answered(page, 5)
    assert find_all(page, "#gallery .name")[4].text.startswith("photo-")
    find(page, "#clear").click()
    assert not find_all(page, "#gallery li")
    assert page.switch_to.active_element.get_attribute("id") == "choose"


@pytest.mark.slow
def test_too_large_a_file_is_told_so(page: Driver) -> None:
    page.execute_script("""
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(25e6)], "large.jpg"));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    """)
    answered(page, 1)
    assert "larger than 20 MB" in find(page, ".failed .others").text


@pytest.mark.slow
def test_the_map_of_a_rotated_photo_lies_on_it_as_it_came(page: Driver) -> None:
    classifier = Classifier.load()
    path, spots = next(path for path in IMAGES if classifier.predict(path).rotation == 0), {}
    for rotation in (0, 90, 180, 270):
        with Image.open(path) as image:
            data = io.BytesIO()
            image.rotate(rotation, expand=True).save(data, "PNG")  # counter-clockwise: the correction rotates it back
        give(page, [(f"{rotation}.png", data.getvalue())])
        answered(page, 1)
        assert classifier.predict(data.getvalue()).rotation == rotation
        inspect(page)
        spots[rotation] = strongest(page)
        find(page, "#close").click()
        find(page, "#clear").click()
    down, across = spots[0]
    expected = {90: [1 - across, down], 180: [1 - down, 1 - across], 270: [across, 1 - down]}
    for rotation, spot in expected.items():
        assert spots[rotation] == pytest.approx(spot, abs=0.04)


def test_the_receptive_field_of_a_stage_is_drawn_where_it_is_pointed_at(page: Driver) -> None:
    give(page, photos()[:1])
    answered(page, 1)
    inspect(page)
    stages = Classifier.load().manifest.stages or []
    rows = find_all(page, "#stages label")
    assert [row.text.split()[0] for row in rows] == ["none", *(stage["name"] for stage in stages)]
    for stage, row in list(zip(stages, rows[1:], strict=True))[2:5]:
        ActionChains(page).move_to_element(row).perform()
        until(lambda name=stage["name"]: f"of {name} sees" in find(page, "#field-text").text)
        frame = find(page, "#field .frame")
        assert float(frame.get_attribute("width")) == stage["receptive_field"][1]
        assert (float(frame.get_attribute("x")) - stage["start"][1]) % stage["stride"][1] == 0
    rows[4].click()
    before = float(find(page, "#field .frame").get_attribute("x"))
    find(page, "#stage").send_keys(Keys.ARROW_RIGHT)
    assert float(find(page, "#field .frame").get_attribute("x")) == before + stages[3]["stride"][1]


def test_the_geometry_is_that_of_preprocessing(page: Driver) -> None:
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
    program = """const [done] = [...arguments].slice(-1); import("/page/geometry.js").then((m) => done(
        [0, 90, 180, 270].map((rotation) => {
          const [top, left] = m.rotated([10, 40], rotation, 256);
          return m.rotatedBack({ top, left, height: 0, width: 0 }, rotation, 256);
        })))"""
    assert page.execute_async_script(program) == [{"top": 10, "left": 40, "height": 0, "width": 0}] * 4


def test_the_keyboard_goes_everywhere_and_every_control_has_a_name(page: Driver) -> None:
    give(page, photos()[:2])
    answered(page, 2)
    find(page, "#clear").send_keys(Keys.TAB)
    assert page.switch_to.active_element == find(page, ".card")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    until(lambda: find(page, "#inspector").is_displayed())
    tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = {"button", "combobox", "radio", "switch", "link", "checkbox"}
    shown = [node for node in tree if not node["ignored"] and node["role"]["value"] in controls]
    assert [node for node in shown if not node["name"]["value"].strip()] == []
    find(page, "#show-heat").send_keys(Keys.SPACE)
    until(lambda: find(page, "#heat").is_displayed())
    find(page, "#next").send_keys(Keys.ENTER)
    assert find(page, "#inspected").text == PHOTOS[1].name
    find(page, "#stages input").send_keys(Keys.ARROW_DOWN)
    until(lambda: "of stem sees" in find(page, "#field-text").text)
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(lambda: not find(page, "#inspector").is_displayed())
    until(lambda: page.switch_to.active_element == find_all(page, ".card")[1])


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_screen(page: Driver, width: int, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    wide = "const d = document.querySelector(arguments[0]); return d.scrollWidth - d.clientWidth"
    try:
        give(page, photos()[:3])
        answered(page, 3)
        assert page.execute_script(wide, "html") <= 0
        inspect(page)
        until(lambda: find(page, "#photo").rect["width"] > 0)
        assert page.execute_script(wide, "#inspector") <= 0
        ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(19, 21, 24)") == (scheme == "dark")
        find(page, "#close").click()
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
