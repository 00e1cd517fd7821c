"""Each adapter against a server that answers as its vendor documents: who arrived, who did not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from score.delivery.vendors import (
    ChurnZero,
    Reply,
    Request,
    Salesforce,
    Totango,
    Vendor,
    gainsight,
    hubspot,
    planhat,
    serving,
)
from tenure.core.errors import ConfigError
from tenure.core.sections import ExportConfig
from tenure.score.delivery import adapters
from tenure.score.delivery.adapters import Item
from tenure.score.delivery.channel import TRIES, Channel
from tenure.score.delivery.deliver import ADAPTERS, Delivery, deliver


def made_items(count: int) -> list[Item]:
    return [
        Item(f"a{number:04}", {"score": number / 1000, "band": "high" if number % 2 else None})
        for number in range(count)
    ]


def settings(url: str, **further: Any) -> ExportConfig:
    columns = {"churn_probability": "score", "risk_band": "band"}
    shared = {"url": url, "token": "secret", "key": "ext_id", "columns": columns}
    return ExportConfig(**(shared | further))


def sent(
    name: str, items: list[Item], config: ExportConfig
) -> tuple[Delivery, list[float], list[str]]:
    """What became of the items, the waits between requests, and what arrived batch by batch."""
    waits: list[float] = []
    arrived: list[str] = []
    adapter = ADAPTERS[name]
    channel = Channel(adapter.headers(config), 1_000_000, sleep=waits.append)
    delivery = deliver(
        adapter,
        config,
        items,
        lambda taken: arrived.extend(item.account_id for item in taken),
        channel=channel,
    )
    assert arrived == delivery.written
    everybody = [*delivery.written, *delivery.refused, *delivery.not_processed]
    assert sorted(everybody) == sorted(item.account_id for item in items), "nobody twice, none lost"
    return delivery, waits, arrived


def test_hubspot_takes_a_hundred_a_batch_and_names_who_it_refuses() -> None:
    with serving(hubspot("a0150")) as (url, seen):
        delivery, _, _ = sent("hubspot", made_items(250), settings(url))
    assert [len(request.json["inputs"]) for request in seen] == [100, 100, 50]
    first = seen[0].json["inputs"][0]
    assert first["idProperty"] == "ext_id"
    assert first["properties"] == {"score": 0.0, "band": ""}, "nothing empties a property"
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert delivery.refused == {"a0150": "Property is unknown"}
    assert len(delivery.written) == 249


def test_salesforce_names_failed_and_unprocessed_rows_of_its_job() -> None:
    vendor = Salesforce(failing={"a0001"}, lost={"a0003", "a0004"})
    with serving(vendor) as (url, _):
        delivery, waits, _ = sent("salesforce", made_items(10), settings(url))
    assert vendor.order == {
        "object": "Account",
        "externalIdFieldName": "ext_id",
        "operation": "upsert",
        "contentType": "CSV",
        "lineEnding": "LF",
    }
    assert vendor.closed
    assert vendor.rows[0] == {"ext_id": "a0000", "score": "0.0", "band": "#N/A"}
    assert delivery.refused == {"a0001": "TOO_LONG"}
    assert sorted(delivery.not_processed) == ["a0003", "a0004"]
    assert len(delivery.written) == 7
    assert waits.count(5.0) == 2, "it looks at the job until it has ended"


def test_a_salesforce_job_that_is_aborted_says_so_of_each_row() -> None:
    vendor = Salesforce(failing=set(), lost={"a0000", "a0001", "a0002"}, state="Aborted")
    with serving(vendor) as (url, _):
        delivery, _, _ = sent("salesforce", made_items(3), settings(url))
    assert set(delivery.not_processed.values()) == {"the job ended as Aborted"}


def test_gainsight_takes_fifty_a_call_and_names_failures_by_their_place() -> None:
    with serving(gainsight("a0051")) as (url, seen):
        delivery, _, _ = sent("gainsight", made_items(101), settings(url))
    assert [len(request.json["records"]) for request in seen] == [50, 50, 1]
    assert seen[0].query == {"keys": "ext_id"}
    assert seen[0].headers["accesskey"] == "secret"
    assert delivery.refused == {"a0051": "Name is missing"}


def test_planhat_answers_206_where_some_are_wrong() -> None:
    items = [Item(item.account_id, {"custom.Band": "low"}) for item in made_items(5)]
    with serving(planhat("a0002")) as (url, seen):
        delivery, _, _ = sent("planhat", items, settings(url, key="externalId"))
    assert seen[0].json[0] == {"externalId": "a0000", "custom": {"Band": "low"}}
    assert delivery.refused == {"a0002": "name is required"}
    assert len(delivery.written) == 4


def test_churnzero_is_read_back_for_it_answers_200_to_everything() -> None:
    vendor = ChurnZero("a0120")
    items = [Item(item.account_id, {"cf_Score": item.values["score"]}) for item in made_items(150)]
    with serving(vendor) as (url, seen):
        vendor.url = url
        config = settings(
            url, user="me", read_token="read", read_back={"cf_Score": "Score"}, key="unused"
        )
        delivery, waits, _ = sent("churnzero", items, config)
    assert seen[0].query == {"appKey": "secret"}
    assert list(delivery.not_processed) == ["a0120"]
    assert len(delivery.written) == 149
    assert [wait for wait in waits if wait >= 2] == list(adapters.CONFIRMING)


def test_totango_is_read_back_through_its_search() -> None:
    vendor = Totango("a0002")
    with serving(vendor) as (url, _):
        config = settings(url, read_url=url, object="SP-1", read_back={"score": "score"})
        delivery, _, _ = sent("totango", made_items(4), config)
    assert list(delivery.not_processed) == ["a0002"]
    assert vendor.rows["a0001"]["sdr_o.band"] == "high"
    assert vendor.rows["a0000"]["sdr_o.band"] == ""


def test_a_url_of_ones_own_may_refuse_rows() -> None:
    def vendor(request: Request) -> Reply:
        assert request.headers["x-team"] == "cs"
        refused = [{"ext_id": "a0001", "reason": "unknown"}]
        return Reply(200, {"refused": refused if len(request.json["rows"]) == 500 else []})

    with serving(vendor) as (url, seen):
        delivery, _, _ = sent("http", made_items(501), settings(url, headers={"X-Team": "cs"}))
    assert seen[0].json["rows"][1] == {"ext_id": "a0001", "score": 0.001, "band": "high"}
    assert delivery.refused == {"a0001": "unknown"}


def answering(*replies: Reply) -> Vendor:
    queue = list(replies)
    return lambda request: queue.pop(0) if len(queue) > 1 else queue[0]


def test_a_page_is_no_success_whatever_its_status() -> None:
    page = Reply(200, "<html>\n<h1>Please sign in</h1>", {"Content-Type": "text/html"})
    with serving(answering(page)) as (url, seen):
        delivery, _, _ = sent("http", made_items(501), settings(url))
    assert (len(seen), delivery.written, len(delivery.not_processed)) == (1, [], 501)
    reason = "the answer is not JSON: HTTP 200: <html> <h1>Please sign in</h1>"
    assert set(delivery.not_processed.values()) == {reason}


@pytest.mark.parametrize("reply", [Reply(204, ""), Reply(200, ""), Reply(200, "{}")])
def test_an_empty_answer_takes_everything(reply: Reply) -> None:
    with serving(answering(reply)) as (url, _):
        delivery, _, _ = sent("http", made_items(3), settings(url))
    assert len(delivery.written) == 3


def test_what_is_json_is_read_whatever_it_is_called() -> None:
    refused = '{"refused": [{"ext_id": "a0001", "reason": "unknown"}]}'
    with serving(answering(Reply(200, refused, {"Content-Type": "text/plain"}))) as (url, _):
        delivery, _, _ = sent("http", made_items(3), settings(url))
    assert (delivery.refused, len(delivery.written)) == ({"a0001": "unknown"}, 2)


def test_a_busy_system_is_asked_again_as_late_as_it_says() -> None:
    busy = Reply(429, {"message": "slow down"}, {"Retry-After": "7"})
    with serving(answering(busy, Reply(503), Reply(200, {}))) as (url, seen):
        delivery, waits, _ = sent("http", made_items(3), settings(url))
    assert len(seen) == 3
    assert [wait for wait in waits if wait >= 1] == [7.0, 14.0]
    assert len(delivery.written) == 3


def test_a_busy_system_may_name_a_date() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    busy = Reply(503, {}, {"Retry-After": then})
    with serving(answering(busy, Reply(200, {}))) as (url, _):
        delivery, waits, _ = sent("http", made_items(3), settings(url))
    (wait,) = (wait for wait in waits if wait >= 1)
    assert 30 < wait <= 60
    assert len(delivery.written) == 3


def test_a_refused_token_ends_the_delivery_and_names_everybody() -> None:
    with serving(answering(Reply(401, {"message": "token expired"}))) as (url, seen):
        delivery, _, _ = sent("hubspot", made_items(250), settings(url))
    assert len(seen) == 1, "what is refused once is not tried again"
    assert len(delivery.not_processed) == 250
    assert set(delivery.not_processed.values()) == {'HTTP 401: {"message": "token expired"}'}


def test_a_batch_that_is_refused_does_not_end_the_delivery() -> None:
    with serving(answering(Reply(400, {"message": "bad"}), Reply(200, {}))) as (url, _):
        delivery, _, _ = sent("hubspot", made_items(150), settings(url))
    assert len(delivery.refused) == 100
    assert len(delivery.written) == 50


def test_nobody_answers() -> None:
    with serving(answering(Reply())) as (url, _):
        pass
    delivery, waits, _ = sent("hubspot", made_items(2), settings(url))
    assert delivery.requests == TRIES
    assert [wait for wait in waits if wait >= 1] == [1.0, 2.0, 4.0, 8.0]
    assert set(delivery.not_processed.values()) == {"no answer: ConnectError"}


@pytest.mark.parametrize("body", [[], "text", {"errors": [{"context": 3}]}, {"errors": 1}])
def test_an_answer_of_another_shape_is_no_success(body: Any) -> None:
    with serving(answering(Reply(200, body))) as (url, _):
        delivery, _, _ = sent("hubspot", made_items(2), settings(url))
    assert len(delivery.not_processed) == 2
    assert all("another shape" in reason for reason in delivery.not_processed.values())


def test_an_adapter_names_every_setting_that_it_lacks() -> None:
    with pytest.raises(ConfigError) as caught:
        ADAPTERS["churnzero"].check("cz", ExportConfig(url="http://x"))
    lacking = ("token", "user", "read_token", "columns", "read_back")
    assert all(f"exports.cz.{name}: is needed" in str(caught.value) for name in lacking)


def test_a_batch_keeps_within_its_bytes() -> None:
    items = [Item(f"a{number}", {"text": "x" * 1000}) for number in range(10)]
    small = ADAPTERS["planhat"]
    limited = type(small)(**(vars(small) | {"size": 3500}))
    assert [len(batch) for batch in limited.batches(items)] == [3, 3, 3, 1]
