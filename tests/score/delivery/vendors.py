"""Servers on this machine that answer as the documentation of each system says."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

JSON = "application/json"


@dataclass
class Request:
    """A request as a vendor sees it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        pairs = parse_qs(self.body.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}

    @property
    def uploaded(self) -> str:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        part = message_from_bytes(head + self.body).get_payload(0)
        return str(part.get_payload(decode=True).decode())  # type: ignore[union-attr]


@dataclass
class Reply:
    """An answer of a vendor."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Vendor = Callable[[Request], Reply]


@contextmanager
def serving(vendor: Vendor) -> Iterator[tuple[str, list[Request]]]:
    """The URL of a server, and the requests that it saw."""
    seen: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            place = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(place.query).items()}
            size = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(
                self.command, place.path, query, headers, self.rfile.read(size) if size else b""
            )
            seen.append(request)
            reply = vendor(request)
            text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            kind = "text/csv" if isinstance(reply.body, str) else JSON
            self.send_response(reply.status)
            for name, value in ({"Content-Type": kind} | reply.headers).items():
                self.send_header(name, value)
            content = text.encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def hubspot(bad: str) -> Vendor:
    """Upserts companies; one account has a property that does not exist."""

    def answer(request: Request) -> Reply:
        assert (request.method, request.path) == (
            "POST",
            "/crm/objects/2026-03/companies/batch/upsert",
        )
        inputs = request.json["inputs"]
        if len(inputs) > 100:
            return Reply(400, {"message": "too many inputs"})
        errors = [
            {"message": "Property is unknown", "context": {"objectWriteTraceId": [item["id"]]}}
            for item in inputs
            if item["objectWriteTraceId"] == bad
        ]
        return Reply(207 if errors else 200, {"results": [], "errors": errors})

    return answer


class Salesforce:
    """Bulk API 2.0: a job takes a CSV; some rows fail, and some are never processed."""

    def __init__(self, failing: set[str], lost: set[str], state: str = "JobComplete") -> None:
        self.failing, self.lost, self.state = failing, lost, state
        self.rows: list[dict[str, str]] = []
        self.looks = 0
        self.closed = False

    def __call__(self, request: Request) -> Reply:
        jobs = "/services/data/v62.0/jobs/ingest"
        assert request.path.startswith(jobs)
        rest = request.path.removeprefix(jobs)
        if request.method == "POST":
            self.order = request.json
            return Reply(200, {"id": "750x", "state": "Open"})
        if request.method == "PUT":
            assert request.headers["content-type"] == "text/csv"
            self.rows = rows_of(request.body.decode())
            return Reply(201, "")
        if request.method == "PATCH":
            self.closed = request.json == {"state": "UploadComplete"}
            return Reply(200, {})
        return self.read(rest.removeprefix("/750x"))

    def read(self, rest: str) -> Reply:
        key = self.order["externalIdFieldName"]
        failed = [row for row in self.rows if row[key] in self.failing]
        lost = [row for row in self.rows if row[key] in self.lost]
        if not rest:
            self.looks += 1
            state = "InProgress" if self.looks < 3 else self.state
            return Reply(200, {"id": "750x", "state": state})
        if rest == "/failedResults":
            return Reply(200, self.table([{"sf__Error": "TOO_LONG", **row} for row in failed]))
        if rest == "/unprocessedrecords":
            return Reply(200, self.table(lost))
        assert rest == "/successfulResults"
        good = [row for row in self.rows if row not in failed and row not in lost]
        return Reply(200, self.table([{"sf__Id": "001", **row} for row in good]))

    def table(self, rows: list[dict[str, str]]) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]) if rows else list(self.rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


def gainsight(bad: str) -> Vendor:
    """Upserts records, at most 50; failures name the place of the record."""

    def answer(request: Request) -> Reply:
        assert (request.method, request.path) == ("PUT", "/v1/data/objects/Company")
        records = request.json["records"]
        if len(records) > 50:
            return Reply(400, {"result": False, "errorDesc": "at most 50 records"})
        failures = [
            {"success": False, "index": place, "errors": [{"errorMessage": "Name is missing"}]}
            for place, record in enumerate(records)
            if record[request.query["keys"]] == bad
        ]
        data = {"count": len(records) - len(failures), "records": [], "failures": failures}
        return Reply(200, {"result": not failures, "data": data})

    return answer


def planhat(bad: str) -> Vendor:
    """Upserts companies; answers 206 where some are wrong."""

    def answer(request: Request) -> Reply:
        assert (request.method, request.path) == ("PUT", "/companies")
        errors = [
            {"item": item, "message": "name is required"}
            for item in request.json
            if item["externalId"] == bad
        ]
        body = {"created": 0, "updated": len(request.json) - len(errors)}
        return Reply(206 if errors else 200, body | {"createdErrors": errors, "updatedErrors": []})

    return answer


class ChurnZero:
    """Answers 200 to everything; one account is never written.  Reading has pages of 100."""

    def __init__(self, lost: str) -> None:
        self.lost, self.url = lost, ""
        self.rows: dict[str, dict[str, str]] = {}

    def __call__(self, request: Request) -> Reply:
        if request.path == "/batchAccountsCsv":
            self.rows |= {row["accountExternalId"]: row for row in rows_of(request.uploaded)}
            return Reply(200, "GIF89a")
        assert request.path == "/public/v1/Account"
        assert request.headers["authorization"].startswith("Basic ")
        names = request.query["$select"].split(",")
        start = int(request.query.get("$skip", 0))
        accounts = sorted(self.rows)
        page = [
            {"ExternalId": account}
            | {
                name: self.rows[account][f"cf_{name}"] if account != self.lost else "old"
                for name in names[1:]
            }
            for account in accounts[start : start + 100]
        ]
        body: dict[str, Any] = {"value": page}
        if start + 100 < len(accounts):
            query = f"$select={','.join(names)}&$skip={start + 100}"
            body["@odata.nextLink"] = f"{self.url}/public/v1/Account?{query}"
        return Reply(200, body)


class Totango:
    """Answers 200 with a picture to everything; one account is never written."""

    def __init__(self, lost: str) -> None:
        self.lost = lost
        self.rows: dict[str, dict[str, str]] = {}

    def __call__(self, request: Request) -> Reply:
        if request.path == "/pixel.gif":
            form = request.form
            assert form["sdr_s"] == "SP-1"
            if form["sdr_o"] != self.lost:
                self.rows[form["sdr_o"]] = form
            return Reply(200, "GIF89a")
        assert request.path == "/api/v1/search/accounts"
        assert request.headers["app-token"] == "secret"
        query = json.loads(request.form["query"])
        names = [item["attribute"] for item in query["fields"]]
        hits = [
            {
                "name": account,
                "selected_fields": [self.rows[account].get(f"sdr_o.{name}") for name in names],
            }
            for account in query["terms"][0]["in_list"]
            if account in self.rows
        ]
        return Reply(200, {"response": {"accounts": {"hits": hits}}})
