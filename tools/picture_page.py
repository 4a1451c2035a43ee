"""Pictures of the served page for docs/, taken in headless Chromium with drawings of data/.

python tools/picture_page.py --out docs/figures
"""

import argparse
import io
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

IMAGES = Path(__file__).parents[1] / "data" / "images"
SHOWN = "dress-00-a hoodie-01-a shoes-00-a shirt-02-a pants-01-a skirt-00-a hat-01-a polo-00-a t-shirt-01-a shorts-02-a"
SIZE = (1280, 860)
_SERVE = "from clothing_classifier.cli import main; main()"
_SETTLE = 1.0


def main() -> None:
    """Serve, open the page, give it drawings, and picture it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    out = parser.parse_args().out
    with _serving() as url, _browsing() as driver:
        driver.get(url)
        wait = WebDriverWait(driver, 30)
        wait.until(lambda _: driver.find_element(By.ID, "model").is_enabled())
        files = [str(IMAGES / f"{name}.jpg") for name in SHOWN.split()]
        driver.find_element(By.ID, "files").send_keys("\n".join(files))
        wait.until(lambda _: not driver.find_elements(By.CSS_SELECTOR, ".waiting"))
        _picture(driver, out / "page.png")
        driver.find_elements(By.CSS_SELECTOR, ".card")[1].click()
        driver.find_element(By.CSS_SELECTOR, ".switch").click()
        wait.until(lambda _: driver.find_element(By.ID, "heat").is_displayed())
        _picture(driver, out / "page-map.png")
        driver.find_element(By.CSS_SELECTOR, ".switch").click()
        driver.find_elements(By.CSS_SELECTOR, "#stages input")[5].click()
        _picture(driver, out / "page-field.png")


def _picture(driver: webdriver.Chrome, path: Path) -> None:
    time.sleep(_SETTLE)  # transitions end
    with Image.open(io.BytesIO(driver.get_screenshot_as_png())) as image:
        image.convert("RGB").quantize(200).save(path, optimize=True)


@contextmanager
def _serving() -> Iterator[str]:
    command = [sys.executable, "-c", _SERVE, "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[2]
        finally:
            process.terminate()


@contextmanager
def _browsing() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or sys.exit("needs Chromium: apt-get install chromium-driver")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    metrics = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield driver
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
