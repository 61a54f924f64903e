"""yaml-language-server, as an editor talks to it: JSON-RPC over its standard input and output.

npm ci (pinned, with integrity)  ->  node yaml-language-server --stdio  ->  completion, hover, diagnostics
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

from tests.npm_tools import installed

PATIENCE_SECONDS = 60.0
START = "yaml-language-server/bin/yaml-language-server"


def installed_server() -> Path:
    """The server's start file."""
    return installed(Path(__file__).parent, START)


class Editor:
    """An editor with one workspace folder, in which the server looks at documents."""

    def __init__(self, server: Path, folder: Path) -> None:
        command = [shutil.which("node") or "node", str(server), "--stdio"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._answers: dict[int, queue.Queue[Any]] = {}
        self._diagnostics: dict[str, queue.Queue[Any]] = {}
        self._last = 0
        self.folder = folder
        threading.Thread(target=self._listen, daemon=True).start()
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def open(self, text: str, beside: Path | None = None) -> str:
        """Open `text` as a new document of the folder, or of that of the file `beside`; its URI."""
        self._last += 1
        folder = beside.parent if beside is not None else self.folder
        uri = (folder / f"plan-{self._last}.yaml").as_uri()
        self._diagnostics[uri] = queue.Queue()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send("textDocument/didOpen", {"textDocument": document})
        return uri

    def diagnostics(self, text: str, beside: Path | None = None) -> list[tuple[int, str]]:
        """What the server complains of in `text`: pairs of line, from 1, and message."""
        found = self._diagnostics[self.open(text, beside)].get(timeout=PATIENCE_SECONDS)
        return [(one["range"]["start"]["line"] + 1, one["message"]) for one in found]

    def completion(self, text: str) -> dict[str, dict[str, Any]]:
        """What is offered where `|` stands in `text`, by label."""
        text, place = _cursor(text)
        uri = self.open(text)
        answer = self._ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": place})
        return {item["label"]: item for item in answer["items"]}

    def hover(self, text: str) -> str:
        """What is shown where `|` stands in `text`, without the escapes of Markdown."""
        text, place = _cursor(text)
        uri = self.open(text)
        answer = self._ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": place})
        return re.sub(r"\\(?=\W|_)", "", answer["contents"]["value"]) if answer else ""

    def _start(self) -> None:
        folder = self.folder.as_uri()
        self._ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folder,
                "workspaceFolders": [{"uri": folder, "name": "plans"}],
                "capabilities": {
                    "textDocument": {
                        "completion": {"completionItem": {"snippetSupport": True}},
                        "hover": {"contentFormat": ["markdown"]},
                    }
                },
            },
        )
        self._send("initialized", {})
        # Nothing is fetched: no catalogue of schemas, only what the document's own first line names.
        wanted = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
        self._send("workspace/didChangeConfiguration", {"settings": {"yaml": wanted}})

    def _ask(self, method: str, params: Any) -> Any:
        self._last += 1
        answers = self._answers[self._last] = queue.Queue()
        self._write({"id": self._last, "method": method, "params": params})
        answer = answers.get(timeout=PATIENCE_SECONDS)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["result"]

    def _send(self, method: str, params: Any) -> None:
        self._write({"method": method, "params": params})

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self._receive(json.loads(stream.read(length)))

    def _receive(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            waiting = self._diagnostics.get(message["params"]["uri"])
            if waiting is not None:
                waiting.put(message["params"]["diagnostics"])
        elif method is not None and "id" in message:  # the server asks: nothing is configured beyond that
            items = message.get("params", {}).get("items", ()) if method == "workspace/configuration" else ()
            self._write({"id": message["id"], "result": [None for _ in items] or None})
        elif "id" in message and method is None:
            self._answers[message["id"]].put(message)


def _cursor(text: str) -> tuple[str, dict[str, int]]:
    before, mark, after = text.partition("|")
    assert mark, "a | says where the cursor is"
    lines = before.split("\n")
    return before + after, {"line": len(lines) - 1, "character": len(lines[-1])}
