"""Mails in a real browser at the width of a phone: nothing has to be scrolled sideways. Skipped where there is no Chromium."""

import asyncio
import html
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.notifier.templates.pressing import FULL, TEMPLATES, rendered

PHONE = 390
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="there is no Chromium on this machine: apt install chromium"
)

LONG = {
    **FULL,
    "account": {
        **FULL["account"],
        "name": "Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik" * 2,
        "arr": 12_345_678_900,
    },
    "crossing": {**FULL["crossing"], "parts": [{"measure": "long" * 30, "before": 100, "after": 0}]},
    "playbook": {"title": "W" * 120},
}

# A frame is as wide as it is told to be, whatever the least width of a browser's window is.
_SHEET = """<!doctype html><body>{frames}<script>
onload = () => {{
  const widths = [...document.querySelectorAll("iframe")].map(each => {{
    const page = each.contentDocument.documentElement;
    return each.title + "=" + page.scrollWidth + "/" + page.clientWidth;
  }});
  document.body.innerHTML = "<pre>" + widths.join("\\n") + "</pre>";
}};
</script>"""


async def widths(tmp_path: Path, pages: dict[str, str]) -> dict[str, tuple[int, int]]:
    """By page: how wide it is, and how wide it may be."""
    frames = "".join(
        f'<iframe title="{name}" srcdoc="{html.escape(page)}" style="width:{PHONE}px;height:800px;border:0"></iframe>'
        for name, page in pages.items()
    )
    sheet = tmp_path / "sheet.html"
    sheet.write_text(_SHEET.format(frames=frames), encoding="utf-8")
    assert BROWSER is not None
    process = await asyncio.create_subprocess_exec(
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=5000", "--dump-dom", sheet.as_uri(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await process.communicate()
    found = re.findall(r"([\w-]+)=(\d+)/(\d+)", output.decode().partition("<pre>")[2])
    return {name: (int(wide), int(room)) for name, wide, room in found}


@pytest.mark.parametrize("context", [FULL, {}, LONG], ids=["full", "empty", "long"])
async def test_no_mail_has_to_be_scrolled_sideways_on_a_phone(
    tmp_path: Path, context: dict[str, Any]
) -> None:
    pages = {
        f"{name}-{locale}": rendered(name, context, locale)["html"]
        for name in TEMPLATES
        for locale in ("en", "de")
    }
    found = await widths(tmp_path, pages)
    assert set(found) == set(pages)
    assert {name: each for name, each in found.items() if each[0] > each[1]} == {}
