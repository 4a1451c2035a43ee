"""What tests do with the page in a browser: find, wait, give pictures."""

import base64
from typing import Any

from selenium.webdriver.common.by import By

from helpers.running import IMAGES, until

Driver = Any
PHOTOS = IMAGES[0:240:40]


def find(browser: Driver, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def find_all(browser: Driver, selector: str) -> list[Any]:
    return list(browser.find_elements(By.CSS_SELECTOR, selector))


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
    until(lambda: len(find_all(browser, "#gallery li:not(.waiting)")) == count)


def labels(browser: Driver) -> list[str]:
    return [element.text for element in find_all(browser, "#gallery .label")]


def photos() -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in PHOTOS]
