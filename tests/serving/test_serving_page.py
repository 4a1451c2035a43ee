"""The page in headless Chromium, from dropping files to the downloaded table."""

import csv
import io
import json
import shutil
import time
from pathlib import Path

import pytest
from helpers.running import IMAGES, TOKEN, Server, ask

from clothing_classifier import Classifier
from clothing_classifier.report.predictions import CSV_HEADER

pytest.importorskip("selenium")
from helpers.browsing import PHOTOS, Driver, answered, find, find_all, give, labels, photos, until
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


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


def test_pictures_of_a_dropped_folder_keep_their_way_there(page: Driver, tmp_path: Path) -> None:
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
    assert float(rows[0]["ood_score"]) == pytest.approx(prediction.ood_score)
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
