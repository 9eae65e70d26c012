"""Which records of a journal are about which data: confirm's runs on others are never mixed."""

from .other_data import OtherData
from .record_types import BeginRecord, ChoiceRecord, Record, RunRecord


def belongs(record: Record, own: str, other: OtherData | None) -> bool:
    """Whether a record is about the project on its `own` data (a fingerprint), or on `other`.

    Search, and the time that calls took, belong to both. Confirm chooses by runs on its own alone.
    """
    match record:
        case RunRecord(stage="confirm", data_fingerprint=found):
            return found in (None, own) if other is None else found == other.fingerprint
        case BeginRecord(data=None) | ChoiceRecord():
            return other is None
        case BeginRecord(data=OtherData(fingerprint=found)):
            return other is not None and found == other.fingerprint
        case _:
            return True
