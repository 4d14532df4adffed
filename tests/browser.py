"""A real browser for tests of pages: Chromium without a window, spoken to over a pipe in its own protocol.

The pipe needs no port, no driver and no library. Only what the tests ask for is here; the protocol is described at
chromedevtools.github.io/devtools-protocol.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60
FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe
""".split()


@dataclass
class Page:
    """One tab: what it did is kept in ``requests`` and ``complaints``, from before anything was loaded."""

    send: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _loaded: int = 0

    def open(self, address: str) -> None:
        before = self._loaded
        self.send("Page.navigate", url=address)
        self.wait(lambda: self._loaded > before)

    def ask(self, expression: str, *, gesture: bool = False) -> Any:
        """The value of an expression of JavaScript, awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=gesture
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """A key, as a person presses it."""
        code = {"Tab": 9, "Enter": 13, " ": 32, "ArrowDown": 40, "ArrowRight": 39}.get(key, 0)
        facts = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
        self.send("Input.dispatchKeyEvent", type="keyUp", **facts)

    def emulate(self, *, media: str = "", scheme: str = "light", width: int = 1280, height: int = 900) -> None:
        self.send(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def without_script(self) -> None:
        self.send("Emulation.setScriptExecutionDisabled", value=True)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """What is seen, as PNG; ``whole``: the page to its end."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}} if whole else {}
        answer = self.send("Page.captureScreenshot", captureBeyondViewport=whole, **clip)
        path.write_bytes(base64.b64decode(answer["data"]))

    def pdf(self) -> bytes:
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    def wait(self, holds: Any) -> None:
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < deadline, "the page did not come to it"
            self.send("Runtime.evaluate", expression="0")

    def hear(self, event: dict[str, Any]) -> None:
        facts = event.get("params", {})
        match event["method"]:
            case "Page.loadEventFired":
                self._loaded += 1
            case "Network.requestWillBeSent":
                self.requests.append(facts["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(facts["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(str(facts["args"]))
            case "Log.entryAdded":
                self.complaints.append(f"{facts['entry']['level']}: {facts['entry']['text']}")


@contextmanager
def browser_page() -> Iterator[Page]:
    """A new browser with a folder of its own, and one tab in it; both are gone afterwards."""
    program = next((found for found in map(shutil.which, PROGRAMS) if found), None)
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="cascade-browser-", ignore_cleanup_errors=True) as folder:
        to_browser, ours_out = os.pipe()
        ours_in, from_browser = os.pipe()
        # It reads from 3 and writes to 4.
        shell = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        process = subprocess.Popen(
            ["bash", "-c", shell, "bash", program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        pipe = _Pipe(ours_in, ours_out)
        try:
            yield _tab(pipe)
        finally:
            pipe.close()  # the browser ends when nobody speaks to it any more
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _tab(pipe: "_Pipe") -> Page:
    tabs = pipe.send("Target.getTargets")["targetInfos"]
    tab = next(tab["targetId"] for tab in tabs if tab["type"] == "page")
    session = pipe.send("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
    page = Page(lambda method, **facts: pipe.send(method, session, **facts))
    pipe.hear = page.hear
    for domain in ("Page", "Runtime", "Log", "Network"):
        page.send(f"{domain}.enable")
    return page


class _Pipe:
    """Messages in JSON, each ended by a zero byte."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._in, self._out = incoming, outgoing
        self._number, self._rest = 0, b""
        self.hear: Any = lambda event: None

    def send(self, method: str, session: str = "", **facts: Any) -> Any:
        """The answer; events that come before it are heard."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": facts}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            got = self._next()
            if got.get("id") == self._number:
                assert "error" not in got, f"{method}: {got['error']}"
                return got["result"]
            if "method" in got:
                self.hear(got)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], SECONDS)
            assert ready, "the browser says nothing"
            came = os.read(self._in, 1 << 16)
            assert came, "the browser has ended"
            self._rest += came
        message, _, self._rest = self._rest.partition(b"\0")
        loaded: dict[str, Any] = json.loads(message)
        return loaded

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)
