"""What an audit says in sentences."""

from __future__ import annotations

from report.audit_record import audit, moved, not_possible, suspect, violated
from tenure.report.sentences import audit as audit_sentences


def test_a_clean_audit() -> None:
    said = audit_sentences.headline(audit())
    assert (said.label, said.tone, said.more) == ("clean", "good", ())
    text = "\n".join(audit_sentences.lines(audit()))
    assert text.startswith("point-in-time audit: clean")
    assert "1 feature at 2 prediction times: everything read had happened" in text
    assert "1 prediction time replaced by noise (500 rows), none of 4,000 earlier values" in text
    assert "2 columns without a clock: 1 not used and 1 taken as known with their row" in text
    assert "25% of usage_events came in on a later day" in text
    assert "changes 5.0% of all feature values" in text
    assert "1 of 3 features look as before; 1 has drifted and 1 grows by itself" in text
    assert "No column knows too much." in text


def test_a_violated_audit_names_the_features() -> None:
    said = audit_sentences.headline(violated())
    assert (said.label, said.tone) == ("violated", "bad")
    assert said.more == ("It concerns events_28d, usage_28d.",)
    assert "1 of 1 feature read something not before its as_of" in audit_sentences.reads(violated())
    assert "2 features changed in the past" in audit_sentences.shuffle(violated())


def test_doubts_name_the_columns_unless_they_are_allowed() -> None:
    found = audit(status="doubts", suspects=[suspect(), suspect("kind", allowed=True)])
    assert audit_sentences.headline(found).more == ("Look at stage first.",)
    assert audit_sentences.suspects(found) == "1 column too good to be true; 1 allowed by name."
    lines = audit_sentences.lines(found)
    assert any(line.strip().startswith("stage: alone") for line in lines)
    assert not any(line.strip().startswith("kind: alone") for line in lines)


def test_what_could_not_be_audited_says_why() -> None:
    found = not_possible()
    assert audit_sentences.headline(found).first == "The data was not audited: nobody pays."
    assert len(audit_sentences.lines(found)) == 2


def test_parts_that_found_nothing_say_so() -> None:
    nothing = audit(
        shuffle=[],
        clocks=[],
        late={"accounts": 0, "arrivals": [], "costs": []},
        drift={"recent_since": None, "features": [moved("mrr", "too_few", None)]},
    )
    assert "audit.shuffles is 0" in audit_sentences.shuffle(nothing)
    assert audit_sentences.clocks(nothing) == "Every column that is used has a clock."
    assert "known on the day it happened" in audit_sentences.late(nothing)
    assert "too few rows" in audit_sentences.drift(nothing)


def test_the_sample_is_said() -> None:
    assert "for 20 of 50 accounts, at random, at 2 prediction times" in audit_sentences.sample(
        audit()
    )
    assert audit_sentences.sample(not_possible()) == ""
