"""What a visitor does in the page, in few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def upload(page: Any, element: str, path: Path) -> None:
    page.locator(f"#{element} input[type=file]").first.set_input_files(path)


def downloaded(page: Any, take: str) -> bytes:
    """The file that the take's download button gives."""
    link = page.locator(f"#{take} a[download]").first
    link.wait_for(state="attached")  # its tab may be closed by now
    return page.request.get(link.get_attribute("href")).body()


def status(page: Any, task: str) -> Any:
    return page.locator(f"#{task}-status [role=status]")


def take(page: Any, task: str, number: int) -> Any:
    return page.locator(f"#{task}-take-{number}")


def done(page: Any, task: str, timeout: float = 20_000) -> None:
    """Wait until the job is finished. (`expect` would look once a second only after a while.)"""
    page.locator(f"#{task}-status [role=status]", has_text="Done in").wait_for(timeout=timeout)


def generate(page: Any, task: str, timeout: float = 20_000) -> None:
    """Press Generate and wait until it is finished."""
    status(page, task).evaluate("line => { line.textContent = ''; }")  # the "Done" of the job before
    page.locator(f"#{task}-generate").click()
    done(page, task, timeout)


def choose(page: Any, card: Any, name: str, item: str) -> None:
    """An item of a card's menu."""
    card.get_by_label(f"More for {name}").click()
    card.get_by_text(item, exact=True).click()
