"""Every preset is whole: it reads what it declares, and gives what the contract has."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from tenure.sources.contract import SOURCES
from tenure.sources.presets.declared import KINDS, Preset, TableShape, presets
from tenure.sources.presets.raw_tables import plain

VENDORS = {
    *("stripe", "chargebee", "recurly", "zuora", "paddle", "salesforce", "hubspot", "zendesk"),
    *("intercom", "freshdesk", "jira", "segment", "mixpanel", "posthog", "amplitude", "pendo"),
    *("delighted", "qualtrics", "surveymonkey", "typeform", "generic_crm", "warehouse"),
}
EVERY = sorted(presets().values(), key=lambda preset: preset.name)
SHAPES = [
    pytest.param(preset, shape, id=f"{preset.name}-{number}-{shape.table}")
    for preset in EVERY
    for number, shape in enumerate(preset.tables)
]


def test_every_vendor_has_one() -> None:
    assert set(presets()) == VENDORS


@pytest.mark.parametrize("preset", EVERY, ids=lambda preset: preset.name)
def test_objects_are_declared(preset: Preset) -> None:
    assert preset.kind in KINDS
    assert preset.version >= 1
    assert preset.about
    for item in preset.objects.values():
        assert item.needs
        assert {*item.needs, *item.latest, *item.newest} <= set(item.columns)
        assert all(plain(text) or text == "#" for names in item.columns.values() for text in names)
    for name, column in preset.people.items():
        assert column in preset.objects[name].columns
    if preset.account:
        assert preset.account[1] in preset.objects[preset.account[0]].columns


@pytest.mark.parametrize(("preset", "shape"), SHAPES)
def test_shapes_read_declared_columns_and_give_those_of_the_contract(
    preset: Preset, shape: TableShape
) -> None:
    source = SOURCES[shape.table]
    columns = {column.name for column in source.columns} | {"known_at"}
    assert set(shape.columns) <= columns
    assert shape.start in preset.objects
    needed = {c.name for c in source.columns if c.required} - {"account_id", "created_at"}
    assert needed <= set(shape.columns)
    texts = [*shape.account, *shape.where]
    texts += [text for conditions in shape.joins.values() for text in conditions]
    for items in (shape.columns, shape.lets, *(part.columns for part in shape.parts)):
        texts += [text for expressions in items.values() for text in expressions]
    texts += [text for part in shape.parts for text in part.where]
    for text in texts:
        for column in sqlglot.parse_one(text, read="duckdb").find_all(exp.Column):
            if column.table == "let":
                assert column.name in shape.lets, text
            else:
                assert column.name in preset.objects[column.table].columns, text
                assert column.table in {shape.start, *shape.joins}, text
    for part in shape.parts:
        assert set(part.columns) <= columns
        assert part.where
