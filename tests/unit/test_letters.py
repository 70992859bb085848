"""What an integrator is shown of kept bytes: form, codes, units, times, and never who it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from hospital_ops.letters.shape import MOST, shaped, whole

MESSAGE = (
    "MSH|^~\\&|ACME|WARD|||20261122200000+0000|SECRET7|ORU^R01|MSG-7|P|2.6\r"
    "PID|1||4711^^^H^MR||Иванова^Erika||19700101|F\r"
    "PV1||I|h1-icu-1^^07|||||Dr^House|||||||||||V-99\r"
    "NK1|1|Muster^Max|SPO|||089 12345\r"
    "OBX|1|NM|8867-4^^LN||71|/min|50-100||||F\r"
    "OBX|2|TX|99ACME^NOTE||Erika Muster called\r"
    "Erika Muster 4711\r"
).encode()


def test_an_integrator_sees_codes_units_and_times_and_nothing_of_the_patient() -> None:
    text = shaped(MESSAGE)
    for kept in ("MSG-7", "20261122200000+0000", "h1-icu-1^^07", "8867-4^^LN", "|71|/min|50-100|"):
        assert kept in text
    for hidden in ("4711", "Erika", "Иванова", "19700101", "House", "V-99", "12345", "Muster",
                   "SECRET7"):  # fmt: skip
        assert hidden not in text
    assert "PID|9||9999^^^x^xx||xxxxxxx^xxxxx||99999999|x" in text
    assert "Иванова^Erika" in whole(MESSAGE)


def test_of_a_payload_names_of_fields_and_values_stay_and_the_number_of_the_patient_goes() -> None:
    body = (
        b'[{"observation_id":"heart-rate","device_id":"10.0.0.9","value":66.5,"unit":"bpm",'
        b'"patient-id":"4711","patient-name":"Erika","Erika Muster 1":4711,"data":"1 2"}]'
    )
    text = shaped(body)
    assert '"observation_id":"heart-rate"' in text
    assert '"value":66.5' in text
    assert '"patient-id":"9999"' in text
    assert "Erika" not in text
    assert "4711" not in text


@given(some.binary(max_size=400), some.sampled_from([b"", b"MSH|^~\\&|", b"[{", b"PID|1||"]))
def test_any_bytes_have_a_form_of_bounded_size(raw: bytes, head: bytes) -> None:
    for text in (shaped(head + raw), whole(head + raw)):
        assert len(text) <= MOST


@given(some.text(alphabet=some.characters(codec="utf-8"), max_size=80))
def test_whatever_stands_in_a_patients_segment_its_letters_and_digits_are_hidden(name: str) -> None:
    text = shaped(f"MSH|^~\\&|A\rPID|1||{name}".encode())
    pid = text.split("\n", 1)[1] if "\n" in text else ""
    shown = [one for one in pid.removeprefix("PID") if one.isalpha() and one != "x"]
    shown += [one for one in pid if one.isdigit() and one != "9"]
    line = name.splitlines()
    assert len(line) > 1 or not shown
