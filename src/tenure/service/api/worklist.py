"""Whom to call, per owner, from the last run in the store."""

from __future__ import annotations

from tenure.core.errors import Problem
from tenure.core.records.worklist import WorkListRecord
from tenure.run.worklist import work_lists
from tenure.score.store.lists import ListStore
from tenure.service.api.calls import Call
from tenure.service.api.problems import Refusal
from tenure.service.api.requests import WorkListQuery
from tenure.service.api.responses import WorkLists


async def worklist(call: Call, query: WorkListQuery) -> WorkLists:
    """Return the work lists of the last run, which do not count as handed out."""
    if call.caller.segment is not None:
        rule = "may see one segment only, and work lists are made of whole books"
        raise Refusal(Problem("key", rule, fix="use a key that is not limited"), status=403)
    record, versions = await call.state.read(lambda: _lists(call, query))
    owner = call.caller.owner
    values = record.to_json()
    if owner is not None:
        values["owners"] = [one for one in values["owners"] if one["owner"] == owner]
        values["money"] = []
    shown = [item["account_id"] for one in values["owners"] for item in one["items"]]
    call.accounts = shown[: call.state.config.service.max_accounts]
    return WorkLists.model_validate({**values, "model_versions": versions})


def _lists(call: Call, query: WorkListQuery) -> tuple[WorkListRecord, dict[str, str]]:
    config = call.state.config
    run = call.state.run()
    store = ListStore(call.state.store)
    book = store.book(run, str(config.labels.horizon_days))
    record = work_lists(store, config, run, book, query.capacity)
    return record, dict(call.state.versions(run))
