"""What an audit says in sentences."""

from __future__ import annotations

from report.audit_record import audit, moved, suspect, violated
from tenure.report.sentences import audit as audit_words


def test_a_clean_audit() -> None:
    said = audit_words.headline(audit())
    assert (said.label, said.tone, said.more) == ("clean", "good", ())
    text = "\n".join(audit_words.lines(audit()))
    assert text.startswith("point-in-time audit: clean")
    assert "1 feature at 2 prediction times: everything read had happened" in text
    assert "1 prediction time replaced by noise (500 rows), none of 4,000 earlier values" in text
    assert "2 columns without a clock: 1 not used and 1 taken as known with their row" in text
    assert "25% of usage_events came in on a later day" in text
    assert "changes 5.0% of all feature values" in text
    assert "1 of 3 features look as before; 1 has drifted and 1 grows by itself" in text
    assert "No column knows too much." in text


def test_a_violated_audit_names_the_features() -> None:
    said = audit_words.headline(violated())
    assert (said.label, said.tone) == ("violated", "bad")
    assert said.more == ("It concerns events_28d, usage_28d.",)
    assert "1 of 1 feature read something not before its as_of" in audit_words.reads(violated())
    assert "2 features changed in the past" in audit_words.shuffle(violated())


def test_doubts_name_the_columns_unless_they_are_allowed() -> None:
    found = audit(status="doubts", suspects=[suspect(), suspect("kind", allowed=True)])
    assert audit_words.headline(found).more == ("Look at stage first.",)
    assert audit_words.suspects(found) == "1 column too good to be true; 1 allowed by name."
    lines = audit_words.lines(found)
    assert any(line.strip().startswith("stage: alone") for line in lines)
    assert not any(line.strip().startswith("kind: alone") for line in lines)


def test_what_could_not_be_audited_says_why() -> None:
    found = {"status": "not_possible", "reason": "nobody pays", "name": "acme"}
    assert audit_words.headline(found).first == "The data was not audited: nobody pays."
    assert len(audit_words.lines(found)) == 2


def test_parts_that_found_nothing_say_so() -> None:
    nothing = audit(shuffle=[], clocks=[], late={"arrivals": [], "costs": []})
    nothing["drift"]["features"] = [moved("mrr", "too_few", None)]
    assert "audit.shuffles is 0" in audit_words.shuffle(nothing)
    assert audit_words.clocks(nothing) == "Every column that is used has a clock."
    assert "known on the day it happened" in audit_words.late(nothing)
    assert "too few rows" in audit_words.drift(nothing)


def test_the_sample_is_said() -> None:
    assert "for 20 of 50 accounts, at random, at 2 prediction times" in audit_words.sample(audit())
    assert audit_words.sample({}) == ""
