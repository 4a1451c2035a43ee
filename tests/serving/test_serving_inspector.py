"""A picture looked at on the page: what speaks for its label, and what a unit of each stage sees."""

import io
from pathlib import Path

import pytest
from helpers.running import IMAGES
from PIL import Image

from clothing_classifier import Classifier
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.preprocessing.fitting import resized

pytest.importorskip("selenium")
from helpers.browsing import PHOTOS, Driver, answered, find, find_all, give, photos, until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys


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
