"""What a course's text asks for by name: configurations to train, and the form of the answer."""

from typing import Any, Literal

from pydantic import Field

from ..bounds import MAX_EPOCHS
from .table import Line, Table


class Question(Table):
    """A question of the text a space comes from.

    Args:
        number: as the text has it; `confirm --question` takes it.
        title: what is asked, in a line, with the form of the answer.
        answer: "means" (the mean test score of each configuration), "means_sd" (the same with the
            standard deviation of each, and whether the best is better than the others), "best" (the
            position of the best configuration from 0, its mean test score, its parameters) or
            "file" (parameters, and the test score of the one file that is handed in for it).
        configurations: what each changes of the baseline; the search trains them first.
        epochs: of each run, where the text has others for it than the protocol.
    """

    number: int = Field(ge=1)
    title: Line
    answer: Literal["means", "means_sd", "best", "file"]
    configurations: list[dict[str, Any]] = Field(min_length=1)
    epochs: int | None = Field(None, ge=1, le=MAX_EPOCHS)
