"""A small client of headless Chromium's DevTools protocol: open a local page, watch it, ask it."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import websocket

TIMEOUT_S = 60.0
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
)


def binary() -> str | None:
    """Debian's Chromium, or None."""
    return shutil.which("chromium")


class Page:
    """One tab; remembers every request, console message and exception since it was opened."""

    def __init__(self, address: str) -> None:
        # Chromium refuses sockets that bear the Origin header of a page.
        self._socket = websocket.create_connection(address, timeout=TIMEOUT_S, suppress_origin=True)
        self._last = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._last:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
            if "method" in message:
                self.events.append(message)
        raise TimeoutError(method)

    def open(self, path: Path) -> None:
        """Load a local file and wait until it is complete."""
        seen = len(self.events)
        self.call("Page.navigate", url=path.as_uri())
        end = time.monotonic() + TIMEOUT_S
        while not any(e["method"] == "Page.loadEventFired" for e in self.events[seen:]):
            if time.monotonic() > end:
                raise TimeoutError(f"{path.name} did not load")
            message = json.loads(self._socket.recv())
            if "method" in message:
                self.events.append(message)

    def ask(self, expression: str) -> Any:
        """Value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def look(self, width: int, height: int = 900, *, dark: bool = False, scripts: bool = True) -> None:
        """Set the window, the colour scheme, and whether scripts run."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def picture(self, path: Path) -> None:
        """Store the whole page as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    @property
    def requests(self) -> list[str]:
        """Addresses asked for, the page's own file and inline data left out."""
        asked = [
            e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"
        ]
        documents = [
            e["params"]["request"]["url"]
            for e in self.events
            if e["method"] == "Network.requestWillBeSent" and e["params"].get("type") == "Document"
        ]
        return [url for url in asked if not url.startswith("data:") and url not in documents[:1]]

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions, refusals of the content policy."""
        found = []
        for event in self.events:
            body = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(str(body["exceptionDetails"]))
            elif event["method"] == "Runtime.consoleAPICalled" and body["type"] in (
                "error",
                "warning",
                "assert",
            ):
                found.append(str(body["args"]))
            elif event["method"] == "Log.entryAdded" and body["entry"]["level"] in ("error", "warning"):
                found.append(body["entry"]["text"])
        return found

    def close(self) -> None:
        self._socket.close()


class Browser:
    """A headless Chromium of its own, with a profile of its own, ended with the block."""

    def __init__(self, program: str, profile: Path) -> None:
        self._profile = profile
        self._log = (profile.parent / "chromium.log").open("wb")
        self._process = subprocess.Popen(
            [program, *SWITCHES, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=20)
        self._log.close()

    @contextlib.contextmanager
    def page(self) -> Iterator[Page]:
        """A new tab with nothing in it."""
        port, path = self._port()
        control = websocket.create_connection(
            f"ws://127.0.0.1:{port}{path}", timeout=TIMEOUT_S, suppress_origin=True
        )
        try:
            request = {"id": 1, "method": "Target.createTarget", "params": {"url": "about:blank"}}
            control.send(json.dumps(request))
            message = json.loads(control.recv())
            while message.get("id") != 1:
                message = json.loads(control.recv())
            tab = Page(f"ws://127.0.0.1:{port}/devtools/page/{message['result']['targetId']}")
            try:
                yield tab
            finally:
                tab.close()
        finally:
            control.close()

    def _port(self) -> tuple[int, str]:
        """Port and path of the browser's socket: Chromium writes them into its profile once it listens."""
        file = self._profile / "DevToolsActivePort"
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"chromium ended with code {self._process.returncode}")
            lines = file.read_text().splitlines() if file.exists() else []
            if len(lines) == 2:
                return int(lines[0]), lines[1]
            time.sleep(0.1)
        raise TimeoutError("chromium did not open its debugging port")
